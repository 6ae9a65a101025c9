import Metrics

/// The metrics of calls to model servers. Names and labels are part of the operations interface.
struct PredictMetrics: Sendable {
  private enum Name {
    static let requests = "kiosk_predict_requests_total"
    static let duration = "kiosk_predict_duration_seconds"
    static let retries = "kiosk_predict_retries_total"
    static let inFlight = "kiosk_predict_in_flight"
    static let limit = "kiosk_predict_concurrency_limit"
    static let batchSize = "kiosk_predict_batch_size"
    static let bytes = "kiosk_predict_bytes_total"
    static let connections = "kiosk_predict_connections"
    static let metadata = "kiosk_model_metadata_requests_total"
  }

  /// Where metadata came from.
  enum MetadataSource: String {
    case memory, redis, server, error
  }

  private typealias Labels = [(String, String)]

  private let factory: any MetricsFactory

  /// Series whose labels are known in advance begin at 0.
  init(factory: any MetricsFactory) {
    self.factory = factory
    transferred(sent: 0, received: 0)
    for source in [MetadataSource.memory, .redis, .server, .error] {
      metadataCounter(source).increment(by: 0)
    }
    connected([:])
  }

  private func metadataCounter(_ source: MetadataSource) -> Counter {
    counter(Name.metadata, [("result", source.rawValue)])
  }

  private func counter(_ name: String, _ labels: Labels) -> Counter {
    Counter(label: name, dimensions: labels, factory: factory)
  }

  private func gauge(_ name: String, _ labels: Labels) -> Gauge {
    Gauge(label: name, dimensions: labels, factory: factory)
  }

  /// Jobs can name any model; only those a server has answered for become a label.
  private static func labels(_ model: ModelName, isKnown: Bool) -> Labels {
    isKnown
      ? [("model", model.name), ("version", String(model.version))]
      : [("model", "unknown"), ("version", "")]
  }

  func called(
    _ model: ModelName, isKnown: Bool, code: StatusCode, duration: Duration, batchSize: Int?
  ) {
    let labels = Self.labels(model, isKnown: isKnown)
    counter(Name.requests, labels + [("code", code.description)]).increment()
    Timer(label: Name.duration, dimensions: labels, factory: factory).record(duration: duration)
    if let batchSize {
      Recorder(label: Name.batchSize, dimensions: labels, aggregate: true, factory: factory)
        .record(batchSize)
    }
  }

  func transferred(sent: Int, received: Int) {
    counter(Name.bytes, [("direction", "out")]).increment(by: sent)
    counter(Name.bytes, [("direction", "in")]).increment(by: received)
  }

  func retried(_ model: ModelName, isKnown: Bool, code: StatusCode) {
    let labels = Self.labels(model, isKnown: isKnown) + [("code", code.description)]
    counter(Name.retries, labels).increment()
  }

  func loaded(_ model: ModelName, isKnown: Bool, limit: Int, inFlight: Int) {
    let labels = [("model", isKnown ? model.name : "unknown")]
    gauge(Name.inFlight, labels).record(inFlight)
    gauge(Name.limit, labels).record(limit)
  }

  func connected(_ states: [Channel.State: Int]) {
    let ready = states[.ready] ?? 0
    let connecting = states.values.reduce(0, +) - ready
    gauge(Name.connections, [("state", "ready")]).record(ready)
    gauge(Name.connections, [("state", "connecting")]).record(connecting)
  }

  func metadataRead(from source: MetadataSource) {
    metadataCounter(source).increment()
  }
}
