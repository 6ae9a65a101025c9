"""Makes the files of formats/ with what tifffile, Pillow or numpy reads from them, and archives/.

Needs numpy 1.26, tifffile 2023.7.10, imagecodecs and Pillow 10.4.
"""
import io
import json
import os
import struct
import zipfile
import zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "formats"))
rng = np.random.default_rng(20)
cases = []


def image(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.normal(0, 100, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.4
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**40)), min(info.max, 2**40)
    return rng.integers(low, high, shape, dtype=np.int64).astype(dtype)


def keep(file, expected):
    np.save(file + ".npy", np.asarray(expected))
    cases.append({"file": file, "shape": list(np.shape(expected))})


def tiff(name, data, **options):
    file = name + ".tif"
    tifffile.imwrite(file, data, **options)
    with tifffile.TiffFile(file) as read:
        keep(file, read.asarray())


H, W = 13, 18
for dtype in "u1 i1 u2 i2 u4 i4 u8 i8 f2 f4 f8".split():
    for order in "<>":
        tiff(f"type_{dtype}_{'le' if order == '<' else 'be'}",
             image((H, W), dtype).astype(np.dtype(dtype).newbyteorder(order)), byteorder=order)
for compression in "lzw zlib packbits zstd".split():
    for dtype in "u1 u2 f4".split():
        for predictor in (False, True):
            if predictor and compression == "packbits":
                continue
            kind = "strip" if dtype == "u2" else "tile"
            layout = {"rowsperstrip": 5} if kind == "strip" else {"tile": (16, 16)}
            data = image((H, W), dtype)
            if dtype == "u2":
                data = (np.indices((H, W)).sum(0) * 300).astype("u2")
            tiff(f"{compression}_{dtype}_{'predictor' if predictor else 'plain'}_{kind}", data,
                 compression=compression, predictor=predictor, **layout)
tiff("zlib_f4_predictor_be", image((H, W), ">f4"), compression="zlib", predictor=True, byteorder=">")
tiff("zlib_f8_predictor", image((H, W), "f8"), compression="zlib", predictor=True)
tiff("zlib_f2_predictor", image((H, W), "f2"), compression="zlib", predictor=True)
tiff("zlib_u2_rgb_predictor", image((H, W, 3), "u2"), compression="zlib", predictor=True)
tiff("lzw_i4_be_predictor", image((H, W), ">i4"), compression="lzw", predictor=True, byteorder=">")
tiff("planar_tiles", image((3, H, W), "u2"), photometric="rgb", planarconfig="separate", tile=(16, 16))
tiff("planar_strips_lzw", image((4, H, W), "u1"), photometric="rgb", planarconfig="separate",
     rowsperstrip=4, compression="lzw", extrasamples=["unassalpha"])
tiff("planar_stack", image((2, 3, H, W), "u1"), photometric="rgb", planarconfig="separate",
     metadata=None)
tiff("contig_5", image((H, W, 5), "f4"), photometric="minisblack", planarconfig="contig")
tiff("bool_tiles", image((H, W), "?"), tile=(16, 16))
tiff("bool_stack", image((3, H, W), "?"), photometric="miniswhite")
for bits in (2, 4, 6, 10, 12, 14):
    # Rows of samples packed from the highest bit on, each row ending with a whole byte.
    data = image((H, W), "u2") % (1 << bits)
    lines = ["".join(format(v, f"0{bits}b") for v in line) for line in data]
    lines = [line + "0" * (-len(line) % 8) for line in lines]
    body = b"".join(int(line, 2).to_bytes(len(line) // 8, "big") for line in lines)
    tags = [(256, W), (257, H), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, H),
            (279, len(body))]
    file = f"bits_{bits}.tif"
    with open(file, "wb") as out:
        out.write(struct.pack("<2sHI", b"II", 42, 8 + len(body) + len(body) % 2))
        out.write(body + b"\0" * (len(body) % 2) + struct.pack("<H", len(tags)))
        for tag, value in tags:
            out.write(struct.pack("<HHII", tag, 4, 1, value))
        out.write(bytes(4))
    assert (tifffile.imread(file) == data).all()
    keep(file, data.astype("u1" if bits <= 8 else "u2"))
tiff("jpeg_grey", np.tile(np.arange(64, dtype="u1") * 3, (32, 1)), compression="jpeg")
tiff("jpeg_ycbcr", np.stack([np.tile(np.arange(64, dtype="u1") * f, (32, 1)) for f in (1, 2, 3)], -1),
     photometric="rgb", compression=("jpeg", 95))
tiff("one_row", image((1, W), "u2"), metadata=None)
tiff("one_column", image((H, 1), "u2"), metadata=None)
tiff("one_pixel", image((1, 1), "f4"), metadata=None)
tiff("bigtiff_be_stack", image((4, H, W), ">u2"), bigtiff=True, byteorder=">", compression="zlib")
tiff("shaped_axes", image((2, 3, H, W), "u2"), metadata={"axes": "TCYX", "note": "a \"quoted\" \\ text"})
tiff("shaped_truncated", image((6, H, W), ">u2"), byteorder=">", metadata={"axes": "TYX"},
     contiguous=True)
with tifffile.TiffWriter("truncated.tif") as out:
    out.write(image((6, H, W), "u2"), metadata={"truncate": True})
keep("truncated.tif", tifffile.imread("truncated.tif"))
for order in ("tzcyx", "zcyx", "tyx", "cyx", "tcyx"):
    extents = {"t": 2, "z": 3, "c": 4, "y": H, "x": W}
    tiff("imagej_" + order, image([extents[a] for a in order], "u2"), imagej=True,
         metadata={"axes": order.upper()})
tiff("imagej_rgb_stack", image((3, H, W, 3), "u1"), imagej=True, metadata={"axes": "ZYXS"})
tiff("imagej_float", image((3, H, W), "f4"), imagej=True)

# One directory and all pixels behind it, as ImageJ writes stacks of more than 4 GB.
data = image((5, H, W), ">u2")
tifffile.imwrite("imagej_virtual.tif", data[0], byteorder=">", metadata=None,
                 description="ImageJ=1.53t\nimages=5\nslices=5\nloop=false\n")
with open("imagej_virtual.tif", "ab") as out:
    out.write(data[1:].tobytes())
with tifffile.TiffFile("imagej_virtual.tif") as read:
    keep("imagej_virtual.tif", read.asarray())

for axes in ("TCZYX", "CTZYX", "ZCTYX", "CYX", "TYX", "YX", "TZCYX"):
    extents = {"T": 2, "C": 3, "Z": 4, "Y": H, "X": W}
    tiff("ome_" + axes.lower(), image([extents[a] for a in axes], "u2"), ome=True,
         metadata={"axes": axes})
tiff("ome_rgb", image((2, H, W, 3), "u1"), ome=True, metadata={"axes": "ZYXS"}, photometric="rgb")
tiff("ome_planar", image((2, 3, H, W), "u1"), ome=True, metadata={"axes": "TSYX"},
     photometric="rgb", planarconfig="separate")
with tifffile.TiffWriter("ome_two_images.tif", ome=True) as out:
    out.write(image((2, H, W), "u2"), metadata={"axes": "TYX"})
    out.write(image((H, W + 3), "u1"), metadata={"axes": "YX"})
with tifffile.TiffFile("ome_two_images.tif") as read:
    keep("ome_two_images.tif", read.asarray())
with tifffile.TiffWriter("ome_pyramid.tif", ome=True) as out:
    data = image((2, 64, 64), "u1")
    options = {"tile": (16, 16), "compression": "zlib"}
    out.write(data, subifds=2, metadata={"axes": "CYX"}, **options)
    out.write(data[:, ::2, ::2], subfiletype=1, **options)
    out.write(data[:, ::4, ::4], subfiletype=1, **options)
with tifffile.TiffFile("ome_pyramid.tif") as read:
    keep("ome_pyramid.tif", read.asarray())


def ome(name, pages, xml, expected=None):
    file = name + ".tif"
    with tifffile.TiffWriter(file) as out:
        for i, page in enumerate(pages):
            out.write(page, metadata=None, description=xml if i == 0 else None, contiguous=False)
    with tifffile.TiffFile(file) as read:
        keep(file, read.asarray())


def pixels(order, sizes, blocks, spp=1):
    extents = " ".join(f'Size{a}="{n}"' for a, n in sizes.items())
    return (f'<?xml version="1.0"?><!-- a comment --><OME xmlns="http://x"><Image ID="Image:0">'
            f'<Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" {extents}>'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="{spp}"><LightPath/></Channel>{blocks}'
            f'</Pixels></Image></OME>')


pages = image((6, H, W), "u2")
sizes = {"X": W, "Y": H, "Z": 1, "C": 2, "T": 3}
ome("ome_all_pages", pages, pixels("XYCTZ", sizes, "<TiffData/>"))
ome("ome_shuffled", pages, pixels("XYCZT", sizes, "".join(
    f'<TiffData IFD="{p}" FirstC="{c}" FirstT="{t}" FirstZ="0" PlaneCount="1"/>'
    for p, (c, t) in zip((3, 1, 5, 0, 2, 4), [(c, t) for t in range(3) for c in range(2)]))))
ome("ome_missing", pages[:4], pixels("XYCZT", sizes, '<TiffData IFD="0" PlaneCount="4"/>'))
ome("ome_too_many", pages, pixels("XYCZT", {**sizes, "T": 2}, '<TiffData IFD="0" PlaneCount="6"/>'))
ome("ome_wrong_size", pages, pixels("XYCZT", {**sizes, "X": 99}, "<TiffData/>"))
ome("ome_broken_xml", pages, pixels("XYCZT", sizes, "<TiffData")[:-20] + "OME>")

with tifffile.TiffWriter("thumbnail_first_series.tif") as out:
    a = image((3, H, W), "u2")
    out.write(a[0], metadata=None)
    out.write(image((4, 5), "u2"), metadata=None)
    out.write(a[1], metadata=None)
    out.write(a[2], metadata=None)
with tifffile.TiffFile("thumbnail_first_series.tif") as read:
    keep("thumbnail_first_series.tif", read.asarray())


def picture(name, data):
    """Bytes of a file, seen as Keras sees a Pillow image."""
    with open(name, "wb") as out:
        out.write(data)
    array = np.asarray(Image.open(io.BytesIO(data)))
    keep(name, array[:, :, None] if array.ndim == 2 else array)


def png(width, height, depth, color, rows, interlaced=False, extra=b""):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    palette = b""
    if color == 3:
        palette = chunk(b"PLTE", bytes(range(3 * min(1 << depth, 80))))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + extra
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


for color, samples, depths in ((0, 1, (1, 2, 4, 8, 16)), (2, 3, (8, 16)), (3, 1, (1, 2, 4, 8)),
                               (4, 2, (8, 16)), (6, 4, (8, 16))):
    for depth in depths:
        row = (W * samples * depth + 7) // 8
        limit = 80 if color == 3 and depth == 8 else 256
        rows = b"".join(bytes([0]) + rng.integers(0, limit, row, dtype="u1").tobytes()
                        for _ in range(H))
        picture(f"png_{color}_{depth}.png", png(W, H, depth, color, rows))
grey = np.arange(64, dtype="u1").reshape(8, 8) * 4
passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
rows = b"".join(b"\0" + line.tobytes() for y, x, dy, dx in passes for line in grey[y::dy, x::dx])
picture("png_interlaced.png", png(8, 8, 8, 0, rows, interlaced=True))
text = b"tEXt"
body = b"Comment\0" + b"x" * 500
extra = struct.pack(">I", len(body)) + text + body + struct.pack(">I", zlib.crc32(text + body))
rows = b"".join(b"\0" + line.tobytes() for line in grey)
picture("png_text.png", png(8, 8, 8, 0, rows, extra=extra))

for name, mode, data in (
        ("picture_grey.bin", "L", image((H, W), "u1")),
        ("picture_rgb.bin", "RGB", image((H, W, 3), "u1")),
        ("picture_one_bit.bin", "1", image((H, W), "?"))):
    out = io.BytesIO()
    picture_image = Image.fromarray(data) if mode != "1" else Image.fromarray(data.astype("u1") * 255).convert("1")
    picture_image.save(out, "TIFF")
    picture(name, out.getvalue())
out = io.BytesIO()
tifffile.imwrite(out, image((H, W), "u1"), photometric="miniswhite", metadata=None)
picture("picture_white_is_zero.bin", out.getvalue())
out = io.BytesIO()
tifffile.imwrite(out, image((H, W, 3), "u2"), photometric="rgb", metadata=None)
picture("picture_rgb16.bin", out.getvalue())

smooth = np.indices((24, 30)).sum(0).astype("u1") * 4
for name, mode, options in (("jpeg_grey", "L", {}), ("jpeg_rgb", "RGB", {"progressive": True}),
                            ("jpeg_cmyk", "CMYK", {})):
    out = io.BytesIO()
    Image.fromarray(smooth).convert("RGB").convert(mode).save(out, "JPEG", quality=90, **options)
    picture(name + ".jpg", out.getvalue())

fortran = np.asfortranarray(image((3, 4, 5), "f4"))
np.save("fortran.npy", fortran)
keep("fortran.npy", np.ascontiguousarray(fortran))
for dtype in "? <u2 >u2 <i4 >f8 <f2 >i8 u1".split():
    name = "array_" + dtype.replace("<", "le_").replace(">", "be_").replace("?", "bool") + ".npy"
    data = image((2, 3, 4), dtype)
    np.save(name, data.astype(dtype))
    keep(name, data)
for version in ((1, 0), (2, 0), (3, 0)):
    data = image((3, 5), "i2")
    with open(f"version_{version[0]}.npy", "wb") as out:
        np.lib.format.write_array(out, data, version)
    keep(f"version_{version[0]}.npy", data)

# Compressions that libtiff leaves to other libraries, and colours other than RGB.
tiff("lerc_f4", image((H, W), "f4"), compression="lerc")
tiff("lerc_u2_tiles", image((H, W), "u2"), compression="lerc", tile=(16, 16))
for samples in (3, 4):
    image((H, W, samples), "u1")  # so that what follows keeps its random numbers
tiff("deflate_old_code", image((H, W), "u1"), compression=32946)
tiff("jpeg_as_rgb", np.stack([np.tile(np.arange(64, dtype="u1") * f, (32, 1)) for f in (1, 2, 3)], -1),
     photometric="rgb", compression="jpeg", compressionargs={"outcolorspace": "RGB", "level": 95})
tiff("jpeg_tiles_stack", np.stack([np.tile(np.arange(32, dtype="u1") * f, (24, 1)) for f in (1, 2)]),
     compression="jpeg", tile=(16, 16), metadata=None)
tiff("cmyk", image((H, W, 4), "u1"), photometric="separated", metadata=None)
tiff("cielab", image((H, W, 3), "u1"), photometric="cielab", metadata=None)
tiff("orientation_6", image((H, W), "u2"), metadata=None, extratags=[(274, "H", 1, 6, True)])
tiff("palette_8", image((H, W), "u1"), photometric="palette", metadata=None,
     colormap=image((3, 256), "u2"))
tiff("rgb_float_planar_stack", image((2, 3, H, W), "f4"), photometric="rgb",
     planarconfig="separate", metadata=None)


def bare_tiff(file, body, tags):
    """A TIFF of one page whose tags are all given; lists go behind the directory."""
    start = 8 + len(body) + len(body) % 2
    behind = b""
    fields = b""
    for tag, kind, count, value in sorted(tags):
        if isinstance(value, bytes):
            position = start + 2 + 12 * len(tags) + 4 + len(behind)
            behind += value + b"\0" * (len(value) % 2)
            value = position
        fields += struct.pack("<HHII", tag, kind, count, value)
    with open(file, "wb") as out:
        out.write(struct.pack("<2sHI", b"II", 42, start) + body + b"\0" * (len(body) % 2))
        out.write(struct.pack("<H", len(tags)) + fields + bytes(4) + behind)
    with tifffile.TiffFile(file) as read:
        keep(file, read.asarray())


def page_tags(width, height, bits, body, **others):
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height,
            279: len(body), **{int(k[1:]): v for k, v in others.items()}}
    return [(tag, 4, 1, value) for tag, value in tags.items()]


data = image((H, W), "?")
lines = np.packbits(data, axis=1, bitorder="little").tobytes()
bare_tiff("fill_order_1_bit.tif", lines, page_tags(W, H, 1, lines, t266=2))
data = image((H, W), "u1") % 16
lines = (data[:, ::2] << 4 | data[:, 1::2]).astype("u1").tobytes()
bare_tiff("palette_4.tif", lines,
          [t for t in page_tags(W, H, 4, lines, t262=3)] + [(320, 3, 48, image((48,), "u2").tobytes())])
# MetaMorph keeps a stack's planes behind one directory; the count of tag 33629 is theirs.
planes = image((3, H, W), "<u2")
first = planes[0].tobytes()
for name, distance in (("stk_z", 1), ("stk_t", 0)):
    uic2 = b"".join(struct.pack("<6I", distance, 1, 2450000, 1000 * i, 2450000, 1000 * i)
                    for i in range(3))
    bare_tiff(name + ".tif", planes.tobytes(),
              [t if t[0] != 279 else (279, 4, 1, len(first)) for t in page_tags(W, H, 16, first)]
              + [(33628, 4, 1, struct.pack("<II", 0, 1)), (33629, 5, 3, uic2)])
# Zeiss LSM: each page is followed by its thumbnail.
info = struct.pack("<Ii8i6dHHI", 0x00400494C, 136, W, H, 3, 1, 2, 2, 4, 5, *[1.0] * 6, 6, 0, 0)
info += bytes(500 - len(info))
data = image((2, 3, H, W), "u2")
with tifffile.TiffWriter("lsm_tz.tif") as out:
    for i, page in enumerate(data.reshape(6, H, W)):
        out.write(page, metadata=None, contiguous=False,
                  extratags=[(34412, "B", len(info), info, True)] if i == 0 else [])
        out.write(image((5, 4), "u2"), metadata=None, subfiletype=1, contiguous=False)
with tifffile.TiffFile("lsm_tz.tif") as read:
    keep("lsm_tz.tif", read.asarray())

# Small BigTIFF files of several layouts.
h, w = 9, 10
for order in "<>":
    name = "le" if order == "<" else "be"
    options = {"bigtiff": True, "byteorder": order}
    tiff(f"bigtiff_{name}_plain", image((h, w), order + "u2"), **options)
    tiff(f"bigtiff_{name}_lzw", image((h, w), order + "i4"), compression="lzw", predictor=True,
         rowsperstrip=4, **options)
    tiff(f"bigtiff_{name}_tiles", image((3, h, w), "u1"), photometric="rgb",
         planarconfig="separate", compression="zlib", tile=(16, 16), **options)
    tiff(f"bigtiff_{name}_pages", image((3, h, w), "u1"), metadata=None, **options)
tiff("bigtiff_ome", image((2, h, w), "u1"), bigtiff=True, ome=True, metadata={"axes": "CYX"})


# What a reader of pictures ignores.
def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
for color, samples, alpha in ((0, 1, b"\0\x05"), (2, 3, bytes(6)), (3, 1, bytes(range(40)))):
    limit = 80 if color == 3 else 256
    rows = b"".join(b"\0" + rng.integers(0, limit, W * samples, dtype="u1").tobytes()
                    for _ in range(H))
    picture(f"png_transparency_{color}.png", png(W, H, 8, color, rows, extra=chunk(b"tRNS", alpha)))
rows = b"".join(b"\0" + rng.integers(0, 256, W * 3, dtype="u1").tobytes() for _ in range(H))
picture("png_orientation_6.png", png(W, H, 8, 2, rows, extra=chunk(b"eXIf", exif)))
frames = [Image.fromarray(image((h, w), "u1")) for _ in range(2)]
out = io.BytesIO()
frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
picture("png_animated.png", out.getvalue())
rows = b"".join(b"\0" + line.tobytes() for y, x, dy, dx in passes
                for line in image((8, 8, 3), ">u2")[y::dy, x::dx])
picture("png_interlaced_rgb16.png", png(8, 8, 16, 2, rows, interlaced=True))

out = io.BytesIO()
Image.fromarray(smooth).save(out, "JPEG", quality=90, exif=b"Exif\0\0" + exif)
picture("jpeg_orientation_6.jpg", out.getvalue())
out = io.BytesIO()
Image.fromarray(smooth).convert("RGB").save(out, "JPEG", quality=90, subsampling="4:2:0",
                                            restart_marker_blocks=2)
picture("jpeg_subsampled.jpg", out.getvalue())
colours = np.stack([smooth, smooth.T.repeat(2, 0)[:24, :24].repeat(2, 1)[:, :30], 255 - smooth, smooth // 2], -1)
for space in ("CMYK", "YCCK"):
    encoded = imagecodecs.jpeg8_encode(np.ascontiguousarray(colours), level=95, colorspace="CMYK",
                                       outcolorspace=space)
    picture(f"jpeg_{space.lower()}_adobe.jpg", encoded)
start = encoded.index(b"\xff\xee")
encoded = imagecodecs.jpeg8_encode(np.ascontiguousarray(colours), level=95, colorspace="CMYK",
                                   outcolorspace="CMYK")
start = encoded.index(b"\xff\xee")
picture("jpeg_cmyk_plain.jpg", encoded[:start] + encoded[start + 16:])
picture("jpeg_adobe_rgb.jpg", imagecodecs.jpeg8_encode(
    np.ascontiguousarray(colours[..., :3]), level=95, colorspace="RGB", outcolorspace="RGB"))
frames = [Image.fromarray(smooth), Image.fromarray(255 - smooth)]
out = io.BytesIO()
frames[0].save(out, "MPO", save_all=True, append_images=frames[1:])
picture("jpeg_two_pictures.jpg", out.getvalue())

def archive(name, members, method):
    with zipfile.ZipFile(os.path.join("..", "archives", name), "w", method) as out:
        for path, content in members:
            member = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            member.compress_type = method
            member.external_attr = 0o100644 << 16
            with out.open(member, "w", force_zip64=name.startswith("wide")) as file:
                file.write(content)


os.makedirs("../archives", exist_ok=True)
members = [("a.tif", bytes(range(60))), ("sub/b.png", b"b" * 200), ("sub/c.npy", b"")]
archive("stored.zip", members, zipfile.ZIP_STORED)
archive("deflated.zip", members, zipfile.ZIP_DEFLATED)
archive("wide.zip", members[:2], zipfile.ZIP_DEFLATED)
archive("one.zip", members[1:2], zipfile.ZIP_DEFLATED)

with open("index.json", "w") as out:
    json.dump(cases, out, indent=1)
print(len(cases))
