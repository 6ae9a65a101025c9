import Logging

/// The two lines that the log pipelines of the Python service read.
struct TransferLog: Sendable {
  private let logger: Logger
  /// As it stands in the lines.
  private let bucket: String

  init(bucket: String, logger: Logger) {
    self.bucket = bucket
    self.logger = logger
  }

  func downloaded(_ path: String, in duration: Duration) {
    logger.debug("Downloaded \(path) from bucket \(bucket) in \(duration.secondsText) seconds.")
  }

  func uploaded(_ path: String, in duration: Duration) {
    logger.debug("Uploaded \(path) to bucket \(bucket) in \(duration.secondsText) seconds.")
  }
}

extension Duration {
  /// Seconds with microseconds, as those lines have them.
  fileprivate var secondsText: String {
    let (seconds, attoseconds) = components
    let fraction = String(attoseconds / 1_000_000_000_000)
    return "\(seconds)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
