import Arrays

/// The array shape that tifffile, and this module, write into a page's description.
struct ShapedDescription: Equatable {
  let shape: Shape
  /// Only the first page has a directory; the others' pixels follow it.
  var isTruncated = false

  /// Reads `{"shape": [2, 512, 512]}`, with any other keys, or the older `shape=(2, 512, 512)`.
  ///
  /// - Returns: nil when the description is neither.
  init?(_ description: String) {
    if description.hasPrefix("shape=("), description.hasSuffix(")") {
      let numbers = description.dropFirst(7).dropLast().split(
        separator: ",", maxSplits: Self.mostAxes
      ).map { Int($0.trimmed) }
      guard let shape = Self.checked(numbers) else { return nil }
      self.shape = shape
      return
    }
    guard description.hasPrefix("{"), !description.contains("\"mibi."),
      let members = JSONObject(description, keys: ["shape", "truncated"])
    else { return nil }
    guard case .numbers(let numbers)? = members["shape"],
      let shape = Self.checked(numbers.map { Int(exactly: $0) })
    else { return nil }
    self.shape = shape
    if case .boolean(let value)? = members["truncated"] { isTruncated = value }
  }

  private static let mostAxes = 32

  private static func checked(_ extents: [Int?]) -> Shape? {
    let shape = extents.compactMap { $0 }
    guard shape.count == extents.count, !shape.isEmpty, shape.count <= mostAxes,
      let count = shape.checkedElementCount, count > 0
    else { return nil }
    return shape
  }
}

extension TIFFSeries {
  /// Exactly the shape that was written, axes of length 1 included.
  ///
  /// - Returns: nil when the shape does not fit the pages, which then are a plain stack.
  init?(
    _ description: ShapedDescription, in handle: TIFFHandle, _ pages: [TIFFPage]
  ) throws(ImageFileError) {
    guard let key = pages.first, let perPage = key.shape.checkedElementCount, perPage > 0,
      let total = description.shape.checkedElementCount, total % perPage == 0,
      let planes = try Self.planes(
        total / perPage, from: pages, in: handle, isContiguous: description.isTruncated)
    else { return nil }
    let extra = description.shape.count - key.shape.count
    let isPagesLast = extra >= 0 && Array(description.shape.suffix(key.shape.count)) == key.shape
    self.init(
      shape: description.shape,
      axes: isPagesLast
        ? String(repeating: "Q", count: extra) + key.axes
        : String(repeating: "Q", count: description.shape.count),
      key: key, planes: planes)
  }
}
