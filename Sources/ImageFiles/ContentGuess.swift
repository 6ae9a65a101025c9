/// What a file that cannot be read most likely is, judged by its first bytes.
struct ContentGuess: CustomStringConvertible {
  /// As the rest of a sentence: `it is a GIF image`.
  let description: String

  /// How many bytes from the start are worth looking at.
  static let size = 512

  private struct Mark {
    let offset: Int
    let bytes: [UInt8]
    let what: String

    init(_ bytes: [UInt8], at offset: Int = 0, _ what: String) {
      (self.bytes, self.offset, self.what) = (bytes, offset, what)
    }

    init(_ text: String, at offset: Int = 0, _ what: String) {
      self.init(Array(text.utf8), at: offset, what)
    }

    func matches(_ start: [UInt8]) -> Bool { start.dropFirst(offset).starts(with: bytes) }
  }

  /// The first that matches counts.
  private static let marks: [Mark] = [
    Mark([0x89, 0x50, 0x4E, 0x47], "it is a PNG image"),
    Mark([0x49, 0x49, 42, 0], "it is a TIFF image"),
    Mark([0x4D, 0x4D, 0, 42], "it is a TIFF image"),
    Mark([0x49, 0x49, 43, 0], "it is a TIFF image"),
    Mark([0x4D, 0x4D, 0, 43], "it is a TIFF image"),
    Mark([0xFF, 0xD8, 0xFF], "it is a JPEG image"),
    Mark([0x93] + Array("NUMPY".utf8), "it is a NumPy array"),
    Mark("GIF8", "it is a GIF image"), Mark("BM", "it is a BMP image"),
    Mark("WEBP", at: 8, "it is a WebP image"), Mark("AVI ", at: 8, "it is an AVI video"),
    Mark("ftypavif", at: 4, "it is an AVIF image"), Mark("ftyphei", at: 4, "it is a HEIC image"),
    Mark("ftyp", at: 4, "it is an MP4 or QuickTime video"),
    Mark([0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20], "it is a JPEG 2000 image or a Nikon ND2 file"),
    Mark([0xFF, 0x4F, 0xFF, 0x51], "it is a JPEG 2000 image"),
    Mark([0xFF, 0x0A], "it is a JPEG XL image"), Mark("JXL ", at: 4, "it is a JPEG XL image"),
    Mark("8BPS", "it is a Photoshop document"), Mark("gimp xcf", "it is a GIMP document"),
    Mark("SIMPLE  =", "it is a FITS image"), Mark("NRRD", "it is an NRRD image"),
    Mark("MAP ", at: 208, "it is an MRC image"),
    Mark([0x5C, 0x01], at: 344, "it is a NIfTI image"),
    Mark("DICM", at: 128, "it is a DICOM image"), Mark("ZISRAWFILE", "it is a Zeiss CZI file"),
    Mark([0xDA, 0xCE, 0xBE, 0x0A], "it is a Nikon ND2 file"),
    Mark([0x70, 0, 0, 0], "it looks like a Leica LIF file"),
    Mark(
      [0xD0, 0xCF, 0x11, 0xE0], "it is an OLE container (as OIB, ZVI and old Office files are)"),
    Mark([0x89] + Array("HDF".utf8), "it is an HDF5 file (as Imaris and MATLAB 7.3 files are)"),
    Mark("CDF", "it is a NetCDF file"), Mark("MATLAB 5.0", "it is a MATLAB file"),
    Mark([0x80, 2], "it looks like a Python pickle"),
    Mark([0x80, 3], "it looks like a Python pickle"),
    Mark([0x80, 4], "it looks like a Python pickle"),
    Mark("PK", "it is a ZIP archive (as NPZ and Office files are)"),
    Mark([0x1F, 0x8B], "it is compressed with gzip"), Mark("BZh", "it is compressed with bzip2"),
    Mark([0xFD] + Array("7zXZ".utf8), "it is compressed with xz"),
    Mark([0x28, 0xB5, 0x2F, 0xFD], "it is compressed with zstd"),
    Mark("7z\u{BC}", "it is a 7-Zip archive"), Mark("Rar!", "it is a RAR archive"),
    Mark("ustar", at: 257, "it is a tar archive"), Mark("%PDF", "it is a PDF document"),
    Mark("%!PS", "it is a PostScript document"),
    Mark([0x7F] + Array("ELF".utf8), "it is a program"),
    Mark("version https://git-lfs", "it is a Git LFS pointer, not the file itself"),
  ]

  init(_ start: [UInt8]) {
    if let mark = Self.marks.first(where: { $0.matches(start) }) {
      description = mark.what
    } else if start.allSatisfy({ $0 == 0 }) {
      description = "it starts with zeros, as files do whose transfer was interrupted"
    } else if let text = Self.text(start) {
      description = Self.kind(of: text)
    } else {
      let digits = start.prefix(8).map { byte in
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
      }
      description = "it starts with the bytes \(digits.joined(separator: " "))"
    }
  }

  /// The bytes as text without what may come before it; nil if they are none.
  private static func text(_ start: [UInt8]) -> String? {
    var bytes = start[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      // Every second byte of UTF-16, which is enough for the letters that matter here.
      bytes = ArraySlice(bytes.dropFirst(2).filter { $0 != 0 })
    }
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) }) else {
      return nil
    }
    let text = String(decoding: bytes, as: UTF8.self)
    // A character cut in two at the end does not make it anything else than text.
    guard !text.dropLast(4).unicodeScalars.contains("\u{FFFD}") else { return nil }
    return text
  }

  private static func kind(of text: String) -> String {
    let start = text.drop(while: \.isWhitespace)
    let lower = start.lowercased()
    if lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") || lower.contains("<html") {
      return "it is a web page, perhaps an error or login page saved in place of the image"
    }
    if lower.hasPrefix("<svg") || lower.contains("<svg") { return "it is an SVG drawing" }
    if lower.hasPrefix("<"), lower.contains("<error>") {
      return "it is an XML text with an error message in place of the image"
    }
    if lower.hasPrefix("<") { return "it is an XML or HTML text" }
    if lower.hasPrefix("{") || lower.hasPrefix("[") { return "it is a JSON text" }
    if start.isEmpty { return "it has only blanks" }
    return "it is a text that starts with \"\(String(start.prefix(24)).forDisplay)\""
  }
}
