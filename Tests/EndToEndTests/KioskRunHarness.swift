import Arrays
import ClassicalModels
import Foundation
import ImageFiles
import ModelServing
import TestSupport
import Testing

/// `kiosk run` in a folder of its own, with the built daemon and the models of `kiosk-model-server`.
struct KioskRunHarness {
  private let daemons: DaemonHarness
  private let models: ModelServerHost
  let folder: TemporaryFolder

  init() throws {
    daemons = try DaemonHarness()
    folder = try TemporaryFolder()
    let service = ModelService(workers: TileWorkers(threads: 2, limit: 1024))
    models = try ModelServerHost(address: "127.0.0.1", port: 0) { await service.answer($0) }
  }

  /// Starts a consumer of a type, for the queue of its name.
  func start(_ type: String, _ changes: [String: String] = [:]) async throws -> ChildProcess {
    try await daemons.startDaemon(
      [
        "CONSUMER_TYPE": type, "QUEUE": type, "HOSTNAME": "pod-\(type)",
        "TF_PORT": String(models.port),
        "SEGMENTATION_QUEUE": "segmentation",
      ].merging(changes) { $1 })
  }

  /// Runs `kiosk run` in the folder.
  ///
  /// - Returns: what it says on standard output.
  func run(_ arguments: String...) async throws -> String { try await run(arguments) }

  func run(_ arguments: [String]) async throws -> String {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["run"] + arguments,
      environment: daemons.environment(["HOSTNAME": "laptop"]), workingDirectory: folder.path)
    let exit = try await program.waitForExit(within: .seconds(120))
    let status = await program.status
    #expect(exit == .code(0), "\(status.output)")
    return status.standardOutput
  }

  // MARK: Files of the folder

  /// A new file's path, whose folders are made.
  func newFile(_ name: String) throws -> String {
    let file = URL(filePath: folder.file(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    return file.path
  }

  /// Writes an image as a file: `[row, column]`, or with axes before them.
  func write(_ image: NDArray<Float>, _ name: String) throws {
    let last = AnyNDArray(image.expandingDimensions(at: image.rank))
    try Data(LabelFiles.encode(last, channel: 0)).write(to: URL(filePath: newFile(name)))
  }

  /// Names of all files below a folder, sorted.
  func files(in name: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.file(name))
      .filter { $0.contains(".") }.sorted()
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: folder.file(name)))
  }

  func image(_ name: String) throws -> AnyNDArray {
    try ImageFile.decode(contentsOf: folder.file(name), name: name).pixels
  }

  func labels(_ name: String) throws -> NDArray<Int32> {
    try image(name).converted(to: Int32.self).squeezed()
  }

  func track(_ name: String) throws -> TrackFile {
    try TrackFile.read(contentsOf: folder.file(name), name: name)
  }
}

extension NDArray<Float> {
  /// Images of one shape, along a new first axis.
  static func stack(_ images: [NDArray<Float>]) throws -> NDArray<Float> {
    try .concatenated(images.map { $0.expandingDimensions(at: 0) })
  }
}
