import CurlClient
import Executors
import Logging
import Retrying
import Synchronization

/// Sends results by HTTP to where their jobs want them, in the way of Replicate's Cog.
///
/// A file is the body of a `PUT`, and the target's answer says where it is from then on.
package final class UploadTargets: Sendable {
  package let hosts: UploadHosts
  let settings: TransferSettings
  /// Whether a Content-Type goes to URLs with a signature, which may not cover it.
  let sendsContentType: Bool
  let clock: AnyClock
  let logger: Logger
  private let client = Mutex<HTTPClient?>(nil)

  /// - Parameter hosts: without any, nothing is sent.
  package init(
    hosts: UploadHosts = UploadHosts(), settings: TransferSettings = TransferSettings(),
    sendsContentType: Bool = true, clock: AnyClock = .continuous,
    logger: Logger = Logger(label: "uploads")
  ) {
    self.hosts = hosts
    self.settings = settings
    self.sendsContentType = sendsContentType
    self.clock = clock
    self.logger = logger
  }

  /// Reads a job's `upload_url`, so that one that cannot be used is found out before work is done.
  ///
  /// Names are looked up for that; nothing is sent. One that is not known now may be later.
  /// - Parameter id: of the job.
  /// - Throws: ``BucketError`` `invalidRequest` that says why nothing may be sent there.
  package func target(_ text: String, id: String) async throws -> UploadTarget {
    let target = try UploadTarget(text, id: id, hosts: hosts)
    let url = target.url
    let refused = await withTaskExecutorPreference(ThreadExecutor(label: "name lookup")) {
      hosts.addresses.refusedAddress(host: url.host, port: url.port)
    }
    if let refused { throw UploadHosts.refusal(of: refused, url) }
    return target
  }

  /// Made with the first upload: most processes never do one.
  func http() throws(BucketError) -> HTTPClient {
    try client.withLock { client throws(BucketError) in
      if let client { return client }
      let made = try settings.makeClient(addresses: hosts.addresses)
      client = made
      return made
    }
  }
}
