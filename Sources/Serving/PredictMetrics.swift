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
    Counter(label: Name.requests, dimensions: labels + [("code", code.description)]).increment()
    Timer(label: Name.duration, dimensions: labels).record(duration: duration)
    if let batchSize { Recorder(label: Name.batchSize, dimensions: labels).record(batchSize) }
  }

  func transferred(sent: Int, received: Int) {
    Counter(label: Name.bytes, dimensions: [("direction", "out")]).increment(by: sent)
    Counter(label: Name.bytes, dimensions: [("direction", "in")]).increment(by: received)
  }

  func retried(_ model: ModelName, isKnown: Bool, code: StatusCode) {
    let labels = Self.labels(model, isKnown: isKnown) + [("code", code.description)]
    Counter(label: Name.retries, dimensions: labels).increment()
  }

  func loaded(_ model: ModelName, isKnown: Bool, limit: Int, inFlight: Int) {
    let labels = [("model", isKnown ? model.name : "unknown")]
    Gauge(label: Name.inFlight, dimensions: labels).record(inFlight)
    Gauge(label: Name.limit, dimensions: labels).record(limit)
  }

  func connected(_ states: [Channel.State: Int]) {
    let ready = states[.ready] ?? 0
    let connecting = states.values.reduce(0, +) - ready
    Gauge(label: Name.connections, dimensions: [("state", "ready")]).record(ready)
    Gauge(label: Name.connections, dimensions: [("state", "connecting")]).record(connecting)
  }

  func metadataRead(from source: MetadataSource) {
    Counter(label: Name.metadata, dimensions: [("result", source.rawValue)]).increment()
  }
}
