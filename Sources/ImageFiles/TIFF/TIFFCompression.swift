import CTIFF

/// How the pixels of a TIFF page are compressed.
enum TIFFCompression: Equatable {
  case none, lzw, deflate, packBits, jpeg, zstd, lerc
  /// Anything else, by its number in the file.
  case other(UInt16)

  init(scheme: UInt16) {
    self =
      switch Int32(scheme) {
      case COMPRESSION_NONE: .none
      case COMPRESSION_LZW: .lzw
      case COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE: .deflate
      case COMPRESSION_PACKBITS: .packBits
      case COMPRESSION_JPEG: .jpeg
      case COMPRESSION_ZSTD: .zstd
      case COMPRESSION_LERC: .lerc
      default: .other(scheme)
      }
  }

  /// What people call it.
  var name: String {
    switch self {
    case .none: "no"
    case .lzw: "LZW"
    case .deflate: "deflate"
    case .packBits: "PackBits"
    case .jpeg: "JPEG"
    case .zstd: "zstd"
    case .lerc: "LERC"
    case .other(let scheme): Self.otherNames[scheme].map { "\($0) (\(scheme))" } ?? "\(scheme)"
    }
  }

  /// Not decoded: they are rare, or libtiff's decoder of them is known for its faults (old-style
  /// JPEG), takes memory without a limit (LZMA), guesses at damaged data (fax), or fills damaged
  /// pictures with what memory held before (WebP).
  private static let otherNames: [UInt16: String] = [
    2: "CCITT run length", 3: "CCITT fax group 3", 4: "CCITT fax group 4", 6: "old-style JPEG",
    9: "JBIG", 10: "JBIG", 22610: "JPEG XR", 32766: "NeXT", 32771: "CCITT run length",
    32809: "ThunderScan", 32908: "Pixar", 32909: "Pixar log", 33003: "JPEG 2000",
    33004: "JPEG 2000", 33005: "JPEG 2000", 34661: "JBIG", 34676: "SGI log", 34677: "SGI log",
    34712: "JPEG 2000", 34892: "lossy JPEG of DNG", 34925: "LZMA", 34933: "PNG", 34934: "JPEG XR",
    50001: "WebP",
    48124: "JetRaw", 50002: "JPEG XL", 52546: "JPEG XL", 65000: "EER", 65001: "EER", 65002: "EER",
  ]
}
