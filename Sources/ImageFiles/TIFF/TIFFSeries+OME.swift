import Arrays

extension TIFFSeries {
  /// The first image of an OME-TIFF that has pages in this file.
  ///
  /// Planes the file does not have (an acquisition that was stopped) are zero.
  ///
  /// - Returns: nil when the description does not fit the file, which then is a plain stack.
  /// - Throws: ``ImageFileError`` when the image's planes are in other files.
  init?(
    _ description: OMEDescription, file: String, _ pages: [TIFFPage], _ limits: DecodingLimits
  ) throws(ImageFileError) {
    guard !description.isCutShort else {
      throw ImageFileError(
        .tooLarge, file: file,
        "has a description of more than \(OMEDescription.mostBlocks) images and planes",
        advice: "split it into several files")
    }
    // Many images that each claim to have all pages would take the square of their number.
    var work = 0
    for image in description.images where !image.blocks.isEmpty {
      work = work.addingSaturating(min(image.planeCount, limits.frames + 1))
      for block in image.blocks {
        work = work.addingSaturating(block.count > 0 ? min(block.count, pages.count) : pages.count)
      }
      guard work <= 16 * max(limits.frames, OMEDescription.mostBlocks) else {
        throw ImageFileError(
          .damaged, file: file, "has a description that refers to its pages too often",
          advice: "save or export it again")
      }
      if let series = try Self.series(of: image, in: description, file, pages, limits) {
        self = series
        return
      }
    }
    return nil
  }

  private static func series(
    of image: OMEDescription.Image, in description: OMEDescription, _ file: String,
    _ pages: [TIFFPage], _ limits: DecodingLimits
  ) throws(ImageFileError) -> TIFFSeries? {
    let samples = max(image.samplesPerPixel ?? 1, 1)
    var shape = image.axes.map { axis in
      let extent = image.extents[axis] ?? 1
      return axis == "C" ? max(extent / samples, 1) : extent
    }
    var axes = image.axes
    guard let declared = Array(shape.dropLast(2)).checkedElementCount else { return nil }
    try limits.check(frames: declared, of: file)

    var planes = try Self.planes(of: image, shape: shape, description, file, pages)
    guard let key = planes.lazy.compactMap({ $0 }).first else { return nil }
    guard planes.allSatisfy({ $0?.isStackable(with: key) ?? true }) else { return nil }

    if samples > 1 {
      let place = key.isPlanar ? shape.count - 2 : shape.count
      shape.insert(samples, at: place)
      axes.insert("S", at: axes.index(axes.startIndex, offsetBy: place))
    }
    guard let perPage = key.shape.checkedElementCount, let total = shape.checkedElementCount,
      total % perPage == 0
    else { return nil }
    let count = total / perPage
    planes = Array(planes.prefix(count))
    planes += Array(repeating: nil, count: count - planes.count)

    var series = TIFFSeries(shape: shape, axes: axes, key: key, planes: .pages(planes))
    series.squeeze()
    guard series.shape.suffix(key.shape.count) == key.shape[...] else { return nil }
    return series
  }

  /// The page of each plane, in the order of the leading axes.
  private static func planes(
    of image: OMEDescription.Image, shape: Shape, _ description: OMEDescription, _ file: String,
    _ pages: [TIFFPage]
  ) throws(ImageFileError) -> [TIFFPage?] {
    let leading = Array(shape.dropLast(2))
    let strides = leading.strides
    let total = leading.reduce(1, *)
    var planes: [TIFFPage?] = Array(repeating: nil, count: total)
    let otherFiles = Self.otherFiles(of: image, description, file)
    for block in image.blocks {
      if let id = block.fileID, let name = otherFiles[id] {
        throw ImageFileError(
          .unsupported, file: file,
          "is one of several files of an OME-TIFF; planes are in \(name.forDisplay)",
          advice: "export the image as a single file")
      }
      let index = zip(image.axes, zip(leading, strides)).reduce(into: Int?(0)) { sum, entry in
        let first = block.first[entry.0] ?? 0
        guard first >= 0, first < entry.1.0 else {
          sum = nil
          return
        }
        sum = sum.map { $0 + first * entry.1.1 }
      }
      guard let index, let start = Optional(block.page ?? 0), start >= 0 else { continue }
      let count = block.count > 0 ? block.count : pages.count
      for i in 0..<max(min(count, total - index, pages.count - start), 0) {
        planes[index + i] = pages[start + i]
      }
    }
    return planes
  }

  /// Identities of the files that are not this one, with their names.
  private static func otherFiles(
    of image: OMEDescription.Image, _ description: OMEDescription, _ file: String
  ) -> [String: String] {
    var files: [String: String] = [:]
    for block in image.blocks {
      guard let id = block.fileID, id != description.fileID else { continue }
      files[id] = block.fileName ?? id
    }
    // Without an identity of its own, the file is the one of its name, or the only one there is.
    if description.fileID == nil {
      if files.count == 1 { return [:] }
      let own = file.split(separator: "/").last.map { $0.lowercased() }
      if let id = files.first(where: { $0.value.lowercased() == own })?.key { files[id] = nil }
    }
    return files
  }
}
