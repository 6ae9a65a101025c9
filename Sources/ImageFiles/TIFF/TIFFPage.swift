import Arrays
import CTIFF

/// What one directory of a TIFF file says about its image.
struct TIFFPage {
  enum SampleFormat: Equatable { case unsigned, signed, float, complex, other }
  enum Photometric: Equatable { case whiteIsZero, blackIsZero, rgb, palette, yCbCr, other }

  /// Position of the directory in the file.
  let offset: UInt64
  let width: Int
  let height: Int
  /// Values per pixel.
  let samples: Int
  let extraSamples: Int
  let bits: Int
  let sampleFormat: SampleFormat
  let compression: TIFFCompression
  let photometric: Photometric
  /// Each sample is a plane of its own.
  let isPlanar: Bool
  let hasHighBitFirst: Bool
  /// Extents of a tile; nil for strips.
  let tile: (width: Int, height: Int)?
  let rowsPerStrip: Int
  /// Strips may hold more rows than the page has left; a strip of unlimited height does not.
  let storedRowsPerStrip: Int
  let depth: Int
  /// A thumbnail, or the same image at a lower resolution.
  let isReducedCopy: Bool

  /// Reads the tags of the handle's current directory.
  init(of handle: TIFFHandle) {
    let tiff = handle.tiff
    offset = TIFFCurrentDirOffset(tiff)
    width = Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_IMAGEWIDTH), 0))
    height = Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_IMAGELENGTH), 0))
    samples = Int(tfs_tiff_u16(tiff, UInt32(TIFFTAG_SAMPLESPERPIXEL), 1))
    extraSamples = Int(tfs_tiff_extra_samples(tiff))
    bits = Int(tfs_tiff_u16(tiff, UInt32(TIFFTAG_BITSPERSAMPLE), 1))
    sampleFormat =
      switch Int32(tfs_tiff_u16(tiff, UInt32(TIFFTAG_SAMPLEFORMAT), 1)) {
      case SAMPLEFORMAT_UINT, SAMPLEFORMAT_VOID: .unsigned
      case SAMPLEFORMAT_INT: .signed
      case SAMPLEFORMAT_IEEEFP: .float
      case SAMPLEFORMAT_COMPLEXINT, SAMPLEFORMAT_COMPLEXIEEEFP: .complex
      default: .other
      }
    compression = TIFFCompression(scheme: tfs_tiff_u16(tiff, UInt32(TIFFTAG_COMPRESSION), 1))
    photometric =
      switch Int32(tfs_tiff_u16(tiff, UInt32(TIFFTAG_PHOTOMETRIC), 1)) {
      case PHOTOMETRIC_MINISWHITE: .whiteIsZero
      case PHOTOMETRIC_MINISBLACK: .blackIsZero
      case PHOTOMETRIC_RGB: .rgb
      case PHOTOMETRIC_PALETTE: .palette
      case PHOTOMETRIC_YCBCR: .yCbCr
      default: .other
      }
    isPlanar =
      samples > 1
      && tfs_tiff_u16(tiff, UInt32(TIFFTAG_PLANARCONFIG), 1) == UInt16(PLANARCONFIG_SEPARATE)
    hasHighBitFirst =
      tfs_tiff_u16(tiff, UInt32(TIFFTAG_FILLORDER), 1) == UInt16(FILLORDER_MSB2LSB)
    tile =
      TIFFIsTiled(tiff) == 0
      ? nil
      : (
        Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_TILEWIDTH), 0)),
        Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_TILELENGTH), 0))
      )
    let rows = Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_ROWSPERSTRIP), .max))
    rowsPerStrip = min(rows, height)
    storedRowsPerStrip = rows == UInt32.max ? rowsPerStrip : rows
    depth = Int(tfs_tiff_u32(tiff, UInt32(TIFFTAG_IMAGEDEPTH), 1))
    isReducedCopy =
      tfs_tiff_u32(tiff, UInt32(TIFFTAG_SUBFILETYPE), 0) & UInt32(FILETYPE_REDUCEDIMAGE) != 0
  }

  /// The element type of the decoded array; nil if there is none for these samples.
  var dtype: DType? {
    switch (sampleFormat, bits) {
    case (.unsigned, 1): .bool
    case (.unsigned, 2...8): .uint8
    case (.unsigned, 9...16): .uint16
    case (.unsigned, 32): .uint32
    case (.unsigned, 64): .uint64
    case (.signed, 8): .int8
    case (.signed, 16): .int16
    case (.signed, 32): .int32
    case (.signed, 64): .int64
    case (.float, 16): .float16
    case (.float, 32): .float32
    case (.float, 64): .float64
    default: nil
    }
  }

  /// Samples fill whole bytes of the array, so that libtiff can decode into it.
  var isByteAligned: Bool { dtype.map { $0 != .bool && $0.size * 8 == bits } ?? false }

  /// `(row, column)`, with samples last if interleaved and first if planar.
  var shape: Shape {
    samples == 1
      ? [height, width] : isPlanar ? [samples, height, width] : [height, width, samples]
  }
  var axes: String { samples == 1 ? "YX" : isPlanar ? "SYX" : "YXS" }
  /// Planes of the page that are decoded one after the other.
  var planes: Int { isPlanar ? samples : 1 }
  var samplesPerPlane: Int { isPlanar ? 1 : samples }

  /// Whether both pages can be planes of one array.
  func isStackable(with other: TIFFPage) -> Bool {
    shape == other.shape && bits == other.bits && sampleFormat == other.sampleFormat
      && isPlanar == other.isPlanar && photometric == other.photometric
  }
}
