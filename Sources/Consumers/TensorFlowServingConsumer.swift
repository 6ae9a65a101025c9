import Arrays
import Buckets
import ImageFiles
import JobQueue
import Serving

import struct FoundationEssentials.URL

/// A consumer whose work is: download an image, run models on it, upload what comes of it.
///
/// Subclasses override ``Consumer/consume(_:)`` and use the helpers here, each of which can be used
/// alone, is timed and logged, and stops when the job is cancelled.
open class TensorFlowServingConsumer: Consumer {
  /// Copies an object of the bucket to the job's folder.
  ///
  /// - Parameter name: its key, or a URL of it in the service's own bucket.
  /// - Returns: the file.
  /// - Throws: ``BucketError`` when it does not exist, is too large, or the name is none of the
  ///   bucket.
  public func download(_ name: String) async throws -> URL {
    try await stage(.download) {
      let inputs = folder.url.appending(path: "input", directoryHint: .isDirectory)
      return try await context.bucket.download(
        context.bucket.key(named: name), into: inputs, limit: context.settings.maximumInputBytes,
        progress: signOfLife)
    }
  }

  /// Reads an image.
  ///
  /// - Returns: the pixels; axes as in the file: `[row, column]`, `[frame, row, column]`,
  ///   `[row, column, channel]` and so on, by format.
  /// - Throws: ``ImageFileError`` that says what is wrong with the file, or which limit it exceeds.
  public func decode(_ file: URL) throws -> NDArray<Float> {
    try decodeImage(file).pixels.asFloat
  }

  /// Reads an image as it is stored; see ``decode(_:)``.
  func decodeImage(_ file: URL) throws -> DecodedImage {
    try stage(.decode) {
      try ImageFile.decode(
        contentsOf: file.path, name: file.lastPathComponent, limits: decodingLimits)
    }
  }

  /// What a file may make this process hold. Which axes are rows and columns is not known yet, and
  /// what is a little too large is to be read all the same, for the consumer to say so.
  var decodingLimits: DecodingLimits {
    let limits = context.settings.imageLimits
    let side = 4 * max(limits.width, limits.height, limits.frames)
    // A stack may have several channels a frame; 16 bytes a pixel is the largest type times two.
    let pixels = limits.width * limits.height * limits.frames
    return DecodingLimits(
      width: side, height: side, frames: limits.frames * Self.mostChannels,
      bytes: pixels > Int.max / 64 ? .max : max(pixels * 16, 64 << 20))
  }

  private static let mostChannels = 16

  /// A client for one model.
  ///
  /// - Parameter model: written as `NuclearSegmentation:6`.
  public func getPredictClient(_ model: String) throws -> PredictClient {
    getPredictClient(try ModelName(model))
  }

  public func getPredictClient(_ model: ModelName) -> PredictClient {
    PredictClient(model: model, backend: context.models, run: run)
  }

  /// Writes each channel of an array as a TIFF file `<name>_feature_<channel>.tif`.
  ///
  /// - Parameters:
  ///   - array: `[row, column]` or `[..., row, column, channel]`.
  ///   - name: of the image; its last extension is dropped, its folders are kept.
  ///   - suffix: put behind what remains of the name.
  /// - Returns: the files, channels in order.
  public func saveArray<Element>(
    _ array: NDArray<Element>, name: String, suffix: String = ""
  ) throws -> [URL] {
    try saveArray(AnyNDArray(array), name: name, suffix: suffix)
  }

  /// Writes each channel of an array whose type is known at run time only; see
  /// ``saveArray(_:name:suffix:)-(NDArray<Element>,_,_)``.
  public func saveArray(
    _ array: AnyNDArray, name: String, suffix: String = ""
  ) throws -> [URL] {
    try stage(.encode) {
      try LabelFiles.save(
        array, name: Self.withoutExtension(name) + suffix, in: try resultsFolder().path
      ).map { URL(filePath: $0) }
    }
  }

  /// Writes a file of a format of your own, to be put into the archive.
  ///
  /// - Parameter name: may begin with folders, which are kept.
  public func saveFile(_ bytes: [UInt8], name: String) throws -> URL {
    try stage(.encode) {
      URL(filePath: try LabelFiles.save(bytes, name: name, in: try resultsFolder().path))
    }
  }

  /// Puts files into one archive, named so that no two workers choose the same.
  ///
  /// - Parameter files: of the job; folders made by ``saveArray(_:name:suffix:)`` are
  ///   kept.
  public func zip(_ files: [URL]) throws -> URL {
    try stage(.encode) {
      let name = RandomName.hex(digits: 32) + ".zip"
      let archive = folder.url.appending(path: name)
      try ZipWriter.write(
        ZipEntry.files(files.map(\.path), below: try resultsFolder().path), to: archive.path,
        name: name)
      return archive
    }
  }

  /// Stores a file in the bucket as a result, or sends it where the job's `upload_url` wants it.
  ///
  /// - Returns: its key and its URL. What was sent elsewhere has an empty key.
  public func upload(_ file: URL) async throws -> StoredObject {
    try await stage(.upload) {
      if let target { return try await send(file, to: target) }
      return try await context.bucket.upload(
        file,
        to: UploadDestination(contentType: ContentType.of(fileNamed: file.lastPathComponent)),
        progress: signOfLife)
    }
  }

  private func send(_ file: URL, to target: UploadTarget) async throws -> StoredObject {
    do {
      let url = try await context.uploads.targets.upload(
        file, to: target, contentType: ContentType.of(fileNamed: file.lastPathComponent),
        progress: signOfLife)
      return StoredObject(key: "", url: url)
    } catch let error as BucketError where !error.isRetryable {
      // Of a URL that refuses a result now, another execution gets no better answer.
      let failure = JobError(error)
      throw JobError(failure.code, failure.message, .input)
    }
  }

  /// Stores a file in the bucket and tells clients of it at once, as `partial_output_url` and
  /// `partial_output_file_name`, while the job goes on. The last one counts.
  /// It is the bucket also for jobs whose result is sent elsewhere.
  @discardableResult
  public func publish(partial file: URL) async throws -> StoredObject {
    try Task.checkCancellation()
    let start = ContinuousClock.now
    // Not a stage: that of uploading is near the job's end.
    defer { run.addDuration(.now - start, to: .upload) }
    let name = file.lastPathComponent
    let stored = try await context.bucket.upload(
      file,
      to: UploadDestination(
        subdirectory: RandomName.hex(digits: 32), contentType: ContentType.of(fileNamed: name)),
      progress: signOfLife)
    try await updateKey(
      run.job, [Field.partialOutputFileName: stored.key, Field.partialOutputURL: stored.url])
    return stored
  }

  /// Says that the job goes on with each part of a file that is moved.
  private var signOfLife: TransferProgress {
    { [run] _ in run.beat() }
  }

  func resultsFolder() throws -> URL {
    try folder.subfolder("output")
  }

  /// `a/b.ome.tif` as `a/b.ome`.
  static func withoutExtension(_ name: String) -> String {
    let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    guard let dot = name[start...].lastIndex(of: "."), dot > start else { return name }
    return String(name[..<dot])
  }
}

/// What a file is, by its name.
enum ContentType {
  static func of(fileNamed name: String) -> String {
    switch name.split(separator: ".").last?.lowercased() {
    case "zip": "application/zip"
    case "tif", "tiff": "image/tiff"
    case "png": "image/png"
    case "jpg", "jpeg": "image/jpeg"
    case "json": "application/json"
    default: "application/octet-stream"
    }
  }
}
