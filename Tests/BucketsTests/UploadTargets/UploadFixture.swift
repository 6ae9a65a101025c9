import Foundation
import Retrying
import TestSupport

@testable import Buckets

/// A file to send, and what sends it to servers of this machine.
struct UploadFixture {
  let folder: TemporaryFolder
  let file: URL
  let content: [UInt8]
  /// Pauses take no time on it.
  let clock = JumpingClock()
  let log = RecordedLog()

  init(size: Int = 1000) throws {
    folder = try TemporaryFolder()
    file = folder.url.appending(path: "a b.zip")
    content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    try Data(content).write(to: file)
  }

  func targets(
    hosts: String, sendsContentType: Bool = true,
    change: (inout TransferSettings) -> Void = { _ in }
  ) throws -> UploadTargets {
    var settings = TransferSettings()
    settings.userAgent = "test/1"
    settings.retryDeadline = .seconds(60)
    change(&settings)
    return UploadTargets(
      hosts: try UploadHosts(hosts), settings: settings, sendsContentType: sendsContentType,
      clock: AnyClock(clock), logger: log.logger)
  }

  /// Sends the file to a server of this machine.
  func send(
    to url: String, _ targets: UploadTargets, id: String = "job",
    progress: @escaping TransferProgress = { _ in }
  ) async throws -> String {
    try await targets.upload(
      file, to: targets.target(url, id: id), contentType: "application/zip", progress: progress)
  }
}

extension TestWebServer {
  /// As `STORAGE_UPLOAD_HOSTS` lists it.
  var listed: String { "\(scheme)://127.0.0.1:\(port),\(scheme)://localhost:\(port)" }
}
