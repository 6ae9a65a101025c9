import Arrays
import ImageFiles
import JobQueue
import Previews

/// Makes pictures and tables of the label images of one job, which are added one by one.
///
/// An image that cannot be read leaves out what needs it, with a remark.
struct ResultExports {
  private let job: Job
  private let options: ResultOptions
  /// For files that are not finished.
  private let folder: String
  private var image: JobImage
  private var table: CellTable?
  private var meanColumns = 0
  private var features: CellFeatures?

  /// What was made so far, with the names that the files are to have.
  private(set) var files: [(path: String, name: String)] = []
  /// What could not be done, in sentences.
  private(set) var remarks: [String] = []

  init(of job: Job, _ image: JobImage, _ options: ResultOptions, folder: String) {
    self.job = job
    self.options = options
    self.folder = folder
    self.image = image
  }

  /// - Parameters:
  ///   - labels: `[row, column]` or `[..., row, column]`; all are listed, and some frames of many are
  ///     drawn side by side.
  ///   - file: where they were read from.
  /// - Throws: ``KioskError`` when a file cannot be written; `CancellationError`.
  mutating func add(_ labels: NDArray<Int32>, of file: LabelFile) async throws {
    let frames = labels.shape.dropLast(2).reduce(1, *)
    let stack = try labels.reshaped(to: [frames] + labels.shape.suffix(2))
    if options.overlay {
      try await addPicture("overlay", of: file) { image in
        try await Self.drawFrames(of: frames) { frame, maximumPixels in
          let planes = try await image.planes(of: file, after: frame)
          return try Overlay.outlines(
            of: stack.slice(frame), over: planes[0], and: planes.count > 1 ? planes[1] : nil,
            maximumPixels: maximumPixels)
        }
      }
    }
    if options.labels {
      try await addPicture("labels", of: file) { _ in
        try await Self.drawFrames(of: frames) { frame, maximumPixels in
          try LabelPicture.draw(stack.slice(frame), maximumPixels: maximumPixels)
        }
      }
    }
    for index in 0..<frames {
      try Task.checkCancellation()
      let name = job.isArchive ? file.imageName : job.originalName
      let source = CellSource(file: name, frame: file.frame + index, channel: file.feature)
      if options.csv { try await addRows(of: stack.slice(index), source, file) }
      if options.geoJSON { try addFeatures(of: stack.slice(index), source, file) }
    }
  }

  /// Tells of a file that nothing can be made of.
  mutating func noteValues(of file: LabelFile) {
    guard options.makesExports else { return }
    remarks.append(
      "no tables or pictures of \(file.name.printable): it has the values of the model, not cells")
  }

  /// Completes the tables.
  mutating func finish() throws {
    try table?.finish()
    try features?.finish()
    (table, features) = (nil, nil)
  }

  private mutating func addPicture(
    _ kind: String, of file: LabelFile, _ draw: (inout JobImage) async throws -> NDArray<UInt8>
  ) async throws {
    let bytes: [UInt8]
    do {
      bytes = try PNGEncoder.encode(try await draw(&image), name: "the picture")
    } catch let error where !(error is CancellationError) {
      remarks.append("no picture of \(file.name.printable): \(error)")
      return
    }
    try newFile(file.pictureName(kind)).write(bytes)
  }

  /// Draws frames of a label image into one picture.
  ///
  /// - Parameter draw: is given a frame and how many pixels its picture may have.
  private static func drawFrames(
    of count: Int, _ draw: (Int, Int) async throws -> NDArray<UInt8>
  ) async throws -> NDArray<UInt8> {
    guard count > 0 else { throw KioskError(.jobFailed, "it has no frames") }
    let frames = FrameSheet.frames(of: count)
    var pictures: [NDArray<UInt8>] = []
    for frame in frames {
      try Task.checkCancellation()
      pictures.append(try await draw(frame, PictureSize.defaultMaximumPixels / frames.count))
    }
    return try FrameSheet.join(pictures)
  }

  private mutating func addRows(
    of labels: NDArray<Int32>, _ source: CellSource, _ labelFile: LabelFile
  ) async throws {
    if table == nil {
      meanColumns = try await countMeanColumns(of: labelFile)
      let file = try newFile(tableName("csv", beside: labelFile))
      table = CellTable(meanColumns: meanColumns) { try file.write($0) }
    }
    let measurements = try CellMeasurements(labels)
    var means: [[Double]] = []
    do {
      // An archive's images may have fewer channels than its first.
      let count = meanColumns == 0 ? 0 : try await image.channelCount(of: labelFile)
      for channel in 0..<min(meanColumns, count) {
        let plane = try await image.plane(
          of: labelFile, frame: source.frame, channel: channel)
        means.append(try measurements.means(of: plane))
      }
    } catch let error where !(error is CancellationError) {
      means = []
      let frame = "frame \(source.frame)"
      let place = job.isArchive ? "\(labelFile.imageName.printable), \(frame)" : frame
      remarks.append("no brightness of the cells of \(place): \(error)")
    }
    try table?.add(measurements.cells, means: means, of: source)
  }

  private mutating func countMeanColumns(of file: LabelFile) async throws -> Int {
    do { return try await image.channelCount(of: file) } catch let error
      where !(error is CancellationError)
    {
      remarks.append("no brightness of the cells: \(error)")
      return 0
    }
  }

  private mutating func addFeatures(
    of labels: NDArray<Int32>, _ source: CellSource, _ labelFile: LabelFile
  ) throws {
    if features == nil {
      let file = try newFile(tableName("geojson", beside: labelFile))
      features = CellFeatures { try file.write($0) }
    }
    let isArchive = job.isArchive
    try features?.add(try CellOutlines(labels), of: source, namesFile: isArchive)
  }

  /// In the folder of the label images, so that images of one name in several folders keep tables of
  /// their own; that of an archive, which is of all its images, above their folders.
  private func tableName(_ ending: String, beside file: LabelFile) -> String {
    let folder = job.isArchive ? "" : file.folder
    return "\(folder)\(ResultFolder.fileStem(of: job))_cells.\(ending)"
  }

  private mutating func newFile(_ name: String) throws -> OutputFile {
    // Its name may have folders in it, or be that of another file of the result.
    let file = try OutputFile("\(folder)/\(files.count)")
    files.append((file.path, name))
    return file
  }
}
