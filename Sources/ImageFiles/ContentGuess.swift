/// What a file that cannot be read most likely is, judged by its first bytes.
struct ContentGuess: CustomStringConvertible {
  let description: String

  private static let marks: [(start: [UInt8], what: String)] = [
    (Array("\u{89}PNG".unicodeScalars.map { UInt8($0.value) }), "it is a PNG image"),
    ([0x49, 0x49, 42, 0], "it is a TIFF image"),
    ([0x4D, 0x4D, 0, 42], "it is a TIFF image"),
    ([0xFF, 0xD8, 0xFF], "it is a JPEG image"),
    (Array("GIF8".utf8), "it is a GIF image"),
    (Array("BM".utf8), "it is a BMP image"),
    ([0x93] + Array("NUMPY".utf8), "it is a NumPy array"),
    (Array("PK".utf8), "it is a ZIP archive"),
    ([0x1F, 0x8B], "it is compressed with gzip"),
    (Array("%PDF".utf8), "it is a PDF document"),
    ([0x89] + Array("HDF".utf8), "it is an HDF5 file"),
    (Array("ZISRAWFILE".utf8), "it is a Zeiss CZI file"),
    ([0xDA, 0xCE, 0xBE, 0x0A], "it is a Nikon ND2 file"),
    ([0xD0, 0xCF, 0x11, 0xE0], "it is an OLE container (as OIB and ZVI files are)"),
    ([0x70, 0, 0, 0], "it looks like a Leica LIF file"),
    (Array("<".utf8), "it is an HTML or XML text"),
    (Array("{".utf8), "it is a JSON text"),
  ]

  init(_ start: [UInt8]) {
    if let known = Self.marks.first(where: { start.starts(with: $0.start) }) {
      description = known.what
    } else if start.prefix(16).allSatisfy({ (0x20...0x7E).contains($0) }) {
      description = "it starts with \"\(String(decoding: start, as: UTF8.self))\""
    } else {
      let digits = start.prefix(8).map { byte in
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
      }
      description = "it starts with the bytes \(digits.joined(separator: " "))"
    }
  }
}
