/// Writes classic little-endian TIFF files whose tags say anything.
struct BareTIFF {
  typealias Tag = (tag: Int, type: Int, count: Int, value: Int)

  private(set) var bytes: [UInt8] = [0x49, 0x49, 42, 0, 0, 0, 0, 0]
  /// Where the position of the next directory goes.
  private var link = 4

  /// A file of one page of 8-bit grey in one strip.
  ///
  /// - Parameter changes: tags that replace those of the page or are added to them.
  init(width: Int = 4, height: Int = 4, pixels: [UInt8]? = nil, changing changes: [Tag] = []) {
    let pixels = pixels ?? Array(repeating: 7, count: 16)
    let start = append(pixels)
    appendDirectory(
      Self.page(width: width, height: height, at: start, count: pixels.count, changing: changes))
  }

  init() {}

  static func page(
    width: Int = 4, height: Int = 4, at start: Int = 8, count: Int = 16,
    changing changes: [Tag] = []
  ) -> [Tag] {
    let page: [Tag] = [
      (256, 4, 1, width), (257, 4, 1, height), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1),
      (273, 4, 1, start), (277, 4, 1, 1), (278, 4, 1, height), (279, 4, 1, count),
    ]
    return page.filter { tag in !changes.contains { $0.tag == tag.tag } } + changes
  }

  /// Adds data that tags can refer to.
  ///
  /// - Returns: its position.
  @discardableResult
  mutating func append(_ data: [UInt8]) -> Int {
    if bytes.count % 2 == 1 { bytes.append(0) }
    defer { bytes += data }
    return bytes.count
  }

  mutating func append(_ numbers: [Int]) -> Int {
    append(numbers.flatMap { Self.littleEndian($0, 4) })
  }

  /// Adds a page, and lets the page before lead to it.
  @discardableResult
  mutating func appendDirectory(_ tags: [Tag]) -> Int {
    var directory = Self.littleEndian(tags.count, 2)
    for tag in tags.sorted(by: { $0.tag < $1.tag }) {
      directory += Self.littleEndian(tag.tag, 2) + Self.littleEndian(tag.type, 2)
      directory += Self.littleEndian(tag.count, 4) + Self.littleEndian(tag.value, 4)
    }
    let start = append(directory + [0, 0, 0, 0])
    lead(to: start)
    link = bytes.count - 4
    return start
  }

  /// Lets the last page lead to any position.
  mutating func lead(to position: Int) {
    bytes.replaceSubrange(link..<link + 4, with: Self.littleEndian(position, 4))
  }

  private static func littleEndian(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
