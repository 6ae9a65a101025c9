import ArgumentParser
import ClassicalModels
import Foundation
import ModelServing
import UnixSignals

@main
struct ModelServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kiosk-model-server",
    abstract: "Stands in for TensorFlow Serving, for trying out and testing.",
    discussion: """
      Offers the gRPC services of TensorFlow Serving under the names of the DeepCell models, but there \
      are no learned weights behind them: the answers are classical image analysis (background \
      removal, smoothing, local threshold, distance transform, local maxima). For real work point \
      TF_HOST and TF_PORT of the consumers at TensorFlow Serving.

      Models: \(ClassicalModel.all.map { "\($0.selection) (\($0.about))" }.joined(separator: ", ")).
      """,
    version: "0.1.0")

  @Option(help: "Address to listen on.") var host = "127.0.0.1"
  @Option(help: "Port to listen on; 0 takes a free one. It is printed.") var port = 8500
  @Option(
    parsing: .upToNextOption, help: "Models to serve, such as NuclearSegmentation:6. Default: all.")
  var models: [ClassicalModel] = []
  @Option(help: "Threads that analyse tiles.")
  var threads = ProcessInfo.processInfo.activeProcessorCount
  @Option(
    help: "Images of 256 x 256 analysed or waiting at once; calls beyond are UNAVAILABLE.")
  var queue = 1024
  @Option(help: "Seconds that every Predict call takes longer.") var latency = 0.0
  @Option(help: "Seconds by which, at most, it takes longer still, by chance.")
  var latencyJitter = 0.0
  @Option(help: "Seconds that calls have to end once the server is asked to stop.")
  var grace = 5.0
  @Option(help: "Seconds after the start in which the models are UNAVAILABLE.") var startDelay = 0.0
  @Option(
    help:
      "N:CODE ends every n-th Predict call with a code: \(FaultPlan.Fault.codeNames). Repeatable.")
  var failEvery: [FaultPlan.Fault] = []
  @Option(help: "How values are sent: typed (float_val, as TensorFlow Serving does) or content.")
  var encoding = Encoding.typed
  @Option(help: "Images in one call; more are INVALID_ARGUMENT. Default: no limit.")
  var maxBatch: Int?

  enum Encoding: String, ExpressibleByArgument, CaseIterable { case typed, content }

  func validate() throws {
    func require(_ condition: Bool, _ message: String) throws {
      if !condition { throw ValidationError(message) }
    }
    try require((0...65535).contains(port), "--port must be 0 to 65535")
    try require((1...256).contains(threads), "--threads must be 1 to 256")
    try require(queue > 0, "--queue must be 1 or more")
    try require(maxBatch ?? 1 > 0, "--max-batch must be 1 or more")
    for (name, value) in [
      ("--latency", latency), ("--latency-jitter", latencyJitter), ("--start-delay", startDelay),
      ("--grace", grace),
    ] {
      try require(value >= 0 && value <= 86_400, "\(name) must be 0 to 86400 seconds")
    }
  }

  func run() async throws {
    let service = makeService()
    // Trapped before anybody is told of the server, so that none of them ends it half way.
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let server = try ModelServerHost(address: host, port: port) { await service.answer($0) }
    print("listening on \(host):\(server.port)")
    fflush(nil)
    for await _ in signals { break }
    await server.stop(grace: .seconds(grace))
  }

  private func makeService() -> ModelService {
    var service = ModelService(workers: TileWorkers(threads: threads, limit: queue))
    if !models.isEmpty { service.models = models }
    service.encoding = encoding == .typed ? .typed : .tensorContent
    service.maximumBatch = maxBatch
    service.latency = .seconds(latency)
    service.jitter = .seconds(latencyJitter)
    service.ready = .now + .seconds(startDelay)
    service.faults = FaultPlan(failEvery)
    return service
  }
}

extension FaultPlan.Fault: ExpressibleByArgument {}

extension ClassicalModel: ExpressibleByArgument {
  /// Reads `name:version` or a name alone.
  package init?(argument: String) {
    let model = Self.all.first { argument == $0.selection.description || argument == $0.name }
    guard let model else { return nil }
    self = model
  }

  package var defaultValueDescription: String { selection.description }
}
