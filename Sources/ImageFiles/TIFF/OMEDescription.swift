/// The images of an OME-XML description and where their planes are.
struct OMEDescription {
  /// A run of pages.
  struct Block: Equatable {
    var page: Int?
    /// The declared number of pages; 0 when the text does not say.
    var count = 0
    /// Position of the first of them along T, Z and C.
    var first: [Character: Int] = [:]
    var fileID: String?
    var fileName: String?
  }

  struct Image: Equatable {
    /// All axes, slowest first, as `TCZYX`.
    var axes = ""
    var extents: [Character: Int] = [:]
    /// Of the first channel; nil before one was seen.
    var samplesPerPixel: Int?
    var blocks: [Block] = []

    /// Planes that the extents make; saturates.
    var planeCount: Int {
      axes.dropLast(2).map { extents[$0] ?? 1 }.checkedElementCount ?? .max
    }
  }

  /// Identity of the file itself in a set of files.
  private(set) var fileID: String?
  private(set) var images: [Image] = []

  /// The text has more than ``mostBlocks``; the others are left out.
  private(set) var isCutShort = false
  /// Images and their blocks together: each takes many times the memory of its text.
  static let mostBlocks = 50_000

  /// - Returns: nil when the text has no image with pixels, or is not OME-XML.
  init?(_ text: String) {
    var blocks = 0
    var scanner = XMLScanner(text)
    var image: Image?
    var isInFileID = false
    while let event = scanner.next() {
      guard blocks <= Self.mostBlocks else {
        isCutShort = true
        break
      }
      switch event {
      case .open("OME", let attributes):
        fileID = attributes["UUID"]
      case .open("BinaryOnly", _):
        return nil  // the description is in another file
      case .open("Pixels", let attributes):
        image = Image(pixels: attributes)
        blocks += 1
      case .open("Channel", let attributes):
        if image?.samplesPerPixel == nil {
          image?.samplesPerPixel = attributes["SamplesPerPixel"].flatMap { Int($0) } ?? 1
        }
      case .open("TiffData", let attributes):
        image?.blocks.append(Block(tiffData: attributes))
        blocks += 1
      case .open("UUID", let attributes):
        isInFileID = true
        if let last = image?.blocks.indices.last {
          image?.blocks[last].fileName = attributes["FileName"]
        }
      case .text(let text):
        if isInFileID, let last = image?.blocks.indices.last, image?.blocks[last].fileID == nil {
          image?.blocks[last].fileID = String(text[...].trimmed)
        }
      case .close("UUID"):
        isInFileID = false
      case .close("Pixels"):
        if let image { images.append(image) }
        image = nil
      default:
        break
      }
    }
    if images.isEmpty && !isCutShort { return nil }
  }
}

extension OMEDescription.Image {
  fileprivate init?(pixels attributes: [String: String]) {
    guard let order = attributes["DimensionOrder"], order.hasPrefix("XY"), order.count == 5,
      Set(order) == Set("XYZCT")
    else { return nil }
    axes = String(order.reversed())
    for axis in axes {
      guard let extent = attributes["Size\(axis)"].flatMap({ Int($0) }), extent > 0,
        extent <= 1 << 31
      else { return nil }
      extents[axis] = extent
    }
  }
}

extension OMEDescription.Block {
  fileprivate init(tiffData attributes: [String: String]) {
    func number(_ key: String) -> Int? { attributes[key].flatMap { Int($0) } }
    page = number("IFD")
    count = number("PlaneCount") ?? number("NumPlanes") ?? (page == nil ? 0 : 1)
    for axis in "TZC" { first[axis] = number("First\(axis)") ?? 0 }
  }
}

extension String {
  /// Whether the text ends like OME-XML.
  var isOMEDescription: Bool {
    suffix(10).reversed().drop(while: { $0.isWhitespace || $0 == "\0" }).starts(
      with: "OME>".reversed())
  }
}
