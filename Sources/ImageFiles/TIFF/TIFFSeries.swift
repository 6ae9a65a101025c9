import Arrays

/// Which pages of a TIFF file make up its first image, and in what shape.
///
/// Source: the rules of tifffile 2023.7.10 (`TiffFile.series[0]`), except that pages need only the
/// same shape and type to be stacked, not the same compression.
struct TIFFSeries {
  /// Extents of the array, slowest first.
  var shape: Shape
  var axes: String
  /// What every page of the image looks like.
  let key: TIFFPage
  /// Where the array's pages come from.
  let planes: Planes

  enum Planes {
    /// In array order; nil is a page the file does not have, which is zero.
    case pages([TIFFPage?])
    /// Uncompressed, one behind the other from this position on.
    case contiguous(offset: Int, count: Int)

    var count: Int {
      switch self {
      case .pages(let pages): pages.count
      case .contiguous(_, let count): count
      }
    }
  }

  /// Chooses the series by what the first page's description and its maker's tags say.
  init(of handle: TIFFHandle, pages: [TIFFPage], limits: DecodingLimits) throws(ImageFileError) {
    guard let first = pages.first else {
      throw ImageFileError(.damaged, file: handle.source.name, "has no pages")
    }
    try handle.select(first)
    let description = try handle.description()
    if let shaped = ShapedDescription(description) {
      if let series = try TIFFSeries(shaped, in: handle, pages) {
        self = series
        return
      }
    } else if let series = try TIFFSeries(zeissLSM: handle, pages) {
      self = series
      return
    } else if description.isOMEDescription {
      if let ome = OMEDescription(description),
        let series = try TIFFSeries(ome, file: handle.source.name, pages, limits)
      {
        self = series
        return
      }
    }
    if let imageJ = ImageJDescription(description),
      let series = try TIFFSeries(imageJ, in: handle, pages)
    {
      self = series
      return
    }
    if let series = try TIFFSeries(metaMorph: handle, pages) {
      self = series
      return
    }
    try Self.checkMaker(of: handle, pages)
    self.init(stacking: pages, like: first)
  }

  init(shape: Shape, axes: String, key: TIFFPage, planes: Planes) {
    self.shape = shape
    self.axes = axes
    self.key = key
    self.planes = planes
  }

  /// All pages of the first one's shape and type; thumbnails and pyramid levels have others.
  private init(stacking pages: [TIFFPage], like first: TIFFPage) {
    let alike = pages.filter { $0.isStackable(with: first) }
    key = first
    planes = .pages(alike)
    shape = alike.count == 1 ? first.shape : [alike.count] + first.shape
    axes = alike.count == 1 ? first.axes : "I" + first.axes
  }

  /// Drops axes of length 1 other than rows and columns.
  mutating func squeeze() {
    let kept = zip(shape, axes).filter { $0 > 1 || $1 == "X" || $1 == "Y" }
    shape = kept.map(\.0)
    axes = String(kept.map(\.1))
  }

  /// The pages as planes, or as one piece of the file when there are fewer pages than planes.
  ///
  /// - Returns: nil when the file has too little for `count` planes.
  static func planes(
    _ count: Int, from pages: [TIFFPage], in handle: TIFFHandle, isContiguous: Bool = false
  ) throws(ImageFileError) -> Planes? {
    guard let first = pages.first, count > 0 else { return nil }
    if count <= pages.count, !isContiguous {
      let chosen = pages[..<count]
      if let stranger = chosen.firstIndex(where: { !$0.isStackable(with: first) }) {
        throw ImageFileError(
          .damaged, file: handle.source.name,
          "has pages of different shape or type within one image (page \(stranger + 1))",
          advice: "save or export it again")
      }
      return .pages(chosen.map { $0 })
    }
    if count == 1 { return .pages([first]) }
    guard let offset = try handle.contiguousPixels(of: first), let dtype = first.dtype,
      let pageBytes = (first.shape + [dtype.size]).checkedElementCount,
      let bytes = [pageBytes, count].checkedElementCount
    else { return nil }
    let present = (handle.source.size - offset) / pageBytes
    if bytes > handle.source.size - offset {
      // One page may be all that somebody kept, with the stack's description.
      if pages.count > 1 || present < 2 { return nil }
      throw ImageFileError(
        .damaged, file: handle.source.name,
        "should have \(count) pages but has pixels for only \(present)",
        advice: "it is cut off; send it again")
    }
    return .contiguous(offset: offset, count: count)
  }
}
