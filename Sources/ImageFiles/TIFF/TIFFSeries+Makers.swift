import Arrays

/// Tags by which the TIFF files of microscopes are told apart.
private enum MakersTag {
  static let metaMorph: UInt32 = 33628
  /// Has one element for each plane of a MetaMorph stack.
  static let metaMorphPlanes: UInt32 = 33629
  static let gelScale: UInt32 = 33445
  static let fluoView: UInt32 = 34362
  static let zeissLSM: UInt32 = 34412
  static let hamamatsu: UInt32 = 65420
}

extension TIFFSeries {
  /// A MetaMorph stack (STK): all planes lie behind the only directory.
  ///
  /// - Returns: nil when the file is none.
  init?(metaMorph handle: TIFFHandle, _ pages: [TIFFPage]) throws(ImageFileError) {
    guard handle.makersTag(MakersTag.metaMorph) != nil, let key = pages.first else { return nil }
    let count = max(handle.makersTag(MakersTag.metaMorphPlanes)?.count ?? 1, 1)
    guard count > 1 else { return nil }
    guard
      let planes = try Self.planes(count, from: [key], in: handle, isContiguous: true)
    else {
      throw ImageFileError(
        .unsupported, file: handle.source.name,
        "is a MetaMorph stack of \(count) planes that are not stored one behind the other",
        advice: "export it as TIFF with a page for each plane")
    }
    self.init(shape: [count] + key.shape, axes: "I" + key.axes, key: key, planes: planes)
  }

  /// A Zeiss LSM file: pages with thumbnails between them, depths fastest, then times.
  ///
  /// Several channels are planes of one page, and stay its first axis; tifffile, which moves that axis
  /// to the front without moving pixels, mixes channels and depths up.
  ///
  /// - Returns: nil when the file is none, or its pages have one axis at most.
  init?(zeissLSM handle: TIFFHandle, _ pages: [TIFFPage]) throws(ImageFileError) {
    guard let info = handle.makersTag(MakersTag.zeissLSM)?.bytes, let key = pages.first,
      info.count >= 28
    else { return nil }
    try Self.checkOffsets(of: handle, maker: "Zeiss LSM")
    func extent(at offset: Int) -> Int {
      info[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let (depths, times) = (extent(at: 16), extent(at: 24))
    let planes = pages.filter { $0.isStackable(with: key) }
    guard depths > 1, times > 1,
      times.multipliedReportingOverflow(by: depths) == (planes.count, false)
    else { return nil }
    self.init(
      shape: [times, depths] + key.shape, axes: "TZ" + key.axes, key: key,
      planes: .pages(planes.map { $0 }))
  }

  /// Refuses files whose pixels would be read wrongly without what only their maker's tags tell.
  static func checkMaker(of handle: TIFFHandle, _ pages: [TIFFPage]) throws(ImageFileError) {
    func unsupported(_ what: String, _ advice: String) -> ImageFileError {
      ImageFileError(.unsupported, file: handle.source.name, what, advice: advice)
    }
    if pages.count > 1, handle.makersTag(MakersTag.fluoView) != nil {
      throw unsupported(
        "is an Olympus FluoView stack, whose axes cannot be told",
        "export it as OME-TIFF or as an ImageJ stack")
    }
    if handle.makersTag(MakersTag.gelScale) != nil {
      throw unsupported(
        "is a Molecular Dynamics gel scan, whose values are stored in a scale of its own",
        "export it as a plain TIFF image")
    }
    if handle.makersTag(MakersTag.hamamatsu) != nil {
      try checkOffsets(of: handle, maker: "Hamamatsu NDPI")
    }
  }

  /// Some makers let 32-bit positions wrap around in larger files.
  private static func checkOffsets(of handle: TIFFHandle, maker: String) throws(ImageFileError) {
    guard handle.source.size >= 1 << 32, !handle.isBigTIFF else { return }
    throw ImageFileError(
      .unsupported, file: handle.source.name,
      "is a \(maker) file of more than 4 GB, which is not supported",
      advice: "export the part of interest as OME-TIFF")
  }
}
