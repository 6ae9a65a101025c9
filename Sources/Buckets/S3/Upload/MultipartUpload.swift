import CurlClient
import Logging

/// Stores a file in parts. The object appears when all are there, and nothing is left of them if that
/// does not happen.
struct MultipartUpload: Sendable {
  static let partLimit = 10_000
  static let smallestPart = 5 << 20
  static let largestPart = 5 << 30
  private static let completionLimit = 1 << 20

  let connection: S3Connection
  let operation: StoreOperation
  let cleanUps: CleanUps
  let logger: Logger
  let key: ObjectKey
  let file: FileDescriptor
  let size: Int
  let contentType: String
  let checksum: ChecksumAlgorithm?

  /// The store does not know the upload any more.
  private struct UploadVanished: Error {
    let error: BucketError
  }

  private struct Session: Sendable {
    let id: String
    /// By the store's clock, in seconds since 1970.
    let start: Int?
  }

  private struct Part: Sendable {
    let number: Int
    let tag: String
    let checksum: ChecksumValue?
  }

  /// Bytes of all parts but the last: as wanted, or more where that would be too many parts.
  static func partSize(for size: Int, wanted: Int) -> Int {
    let needed = (size + partLimit - 1) / partLimit
    let mebibyte = 1 << 20
    return max(wanted, smallestPart, (needed + mebibyte - 1) / mebibyte * mebibyte)
  }

  private var partSize: Int { Self.partSize(for: size, wanted: operation.settings.partSize) }

  func run() async throws {
    guard partSize <= Self.largestPart else {
      throw BucketError(
        .tooLarge, key: key.text,
        "\(key) has \(size >> 30) GiB, more than an object can have in S3")
    }
    try await operation.retrying {
      do { try await uploadOnce() } catch let vanished as UploadVanished {
        throw FailedTry(vanished.error, .once(.replaced))
      }
    }
  }

  private func uploadOnce() async throws {
    let session = try await initiate()
    do {
      let parts = try await sendParts(of: session.id)
      try await complete(session, parts)
    } catch {
      await abandon { session }
      throw error
    }
  }

  // MARK: Begin

  private func initiate() async throws -> Session {
    var fields = [HTTPField("Content-Type", contentType)]
    if let name = checksum?.amazonName {
      fields.append(HTTPField("x-amz-checksum-algorithm", name))
    }
    let request = S3Connection.Request(
      method: "POST", action: .write, key: key, query: CanonicalQuery([("uploads", "")]),
      fields: fields, timeouts: operation.settings.requestTimeouts)
    return try await operation.retrying {
      // Not a child: broken off, it could leave an upload that nobody knows.
      let answer = Task { try await session(connection.send(request)) }
      do { return try await answer.valueUnlessCancelled() } catch let error as CancellationError {
        await abandon { try await answer.value(within: .seconds(10)) }
        throw error
      }
    }
  }

  private func session(_ response: HTTPResponse) throws -> Session {
    if let id = (try? XMLFields(response.body))?["UploadId"], !id.isEmpty {
      return Session(id: id, start: response.head["date"].flatMap { RetryAfter.seconds(date: $0) })
    }
    throw FailedTry(
      BucketError(
        .server, key: key.text, "the store began an upload without saying which",
        isRetryable: true, answer: .init(status: response.status)), .later(atLeast: nil))
  }

  // MARK: Parts

  /// Begun in ascending order, as many at a time as allowed: some servers write them down in order. While
  /// some are sent the next ones are summed up.
  private func sendParts(of id: String) async throws -> [Part] {
    let partSize = partSize
    let ranges = stride(from: 0, to: size, by: partSize)
      .map { $0..<min($0 + partSize, size) }
    return try await withThrowingTaskGroup(of: Part.self) { group in
      var parts: [Part] = []
      var started = 0
      for first in stride(from: 0, to: ranges.count, by: MD5Lanes.count) {
        let bodies = try await S3Body.make(
          file, Array(ranges[first...].prefix(MD5Lanes.count)), checksum: checksum,
          isSigned: connection.signsBodies, of: operation)
        for body in bodies {
          if started >= operation.settings.concurrency, let part = try await group.next() {
            parts.append(part)
          }
          started += 1
          group.addTask { [started] in try await send(body, as: started, of: id) }
        }
      }
      for try await part in group { parts.append(part) }
      return parts.sorted { $0.number < $1.number }
    }
  }

  private func send(_ body: S3Body, as number: Int, of id: String) async throws -> Part {
    do {
      let request = S3Connection.Request(
        method: "PUT", action: .write, key: key,
        query: CanonicalQuery([("partNumber", "\(number)"), ("uploadId", id)]),
        fields: body.field.map { [$0] } ?? [], body: body.source, bodyHash: body.hash,
        timeouts: operation.settings.transferTimeouts)
      let tag = try await operation.retrying {
        body.meter.reached(0)
        return try await detectingEnd { try await connection.send(request).head["etag"] }
      }
      guard let tag else {
        throw BucketError(
          .server, key: key.text, "the store took part \(number) of \(key) without an ETag")
      }
      return Part(number: number, tag: tag, checksum: body.checksum)
    } catch {
      body.meter.reached(0)
      throw error
    }
  }

  private func detectingEnd<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let failed as FailedTry
      where failed.error.answer?.serviceCode == "NoSuchUpload"
    { throw UploadVanished(error: failed.error) }
  }

  // MARK: End

  private func complete(_ session: Session, _ parts: [Part]) async throws {
    let request = S3Connection.Request(
      method: "POST", action: .write, key: key, query: CanonicalQuery([("uploadId", session.id)]),
      fields: [HTTPField("Content-Type", "application/xml")],
      body: HTTPBytes(Self.document(parts)),
      bodyHash: connection.signsBodies
        ? Hexadecimal.encode(Hashes.sha256(Self.document(parts))) : nil,
      // Joining large parts takes its time; blanks are sent meanwhile.
      timeouts: operation.settings.transferTimeouts)
    try await operation.retrying {
      do {
        try await sendCompletion(request)
      } catch let failed as FailedTry
        where failed.error.answer?.serviceCode == "NoSuchUpload"
      {
        // It may have been completed already, by a try whose answer was lost. That need not have been
        // one of ours: libcurl repeats what a kept connection turns out to be closed for.
        if try await isStored(parts.count, since: session.start) { return }
        throw UploadVanished(error: failed.error)
      }
    }
  }

  /// The answer may be an error although its status was success: it is sent before it is known.
  private func sendCompletion(_ request: S3Connection.Request) async throws {
    let (response, attempt) = try await connection.sendTold(
      request, bodyLimit: Self.completionLimit)
    let document = try? XMLFields(response.body)
    switch document?.root {
    case "Error":
      throw try await connection.failure(
        S3Response(response.head, body: response.body), of: attempt)
    case nil:
      throw FailedTry(
        BucketError(
          .server, key: key.text, "the store did not say whether \(key) is complete",
          isRetryable: true, answer: .init(status: response.status)), .later(atLeast: nil))
    default: return
    }
  }

  private static func document(_ parts: [Part]) -> [UInt8] {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for part in parts {
      text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(escaped(part.tag))</ETag>"
      if let checksum = part.checksum, let name = checksum.algorithm.amazonName {
        text += "<Checksum\(name)>\(checksum.base64)</Checksum\(name)>"
      }
      text += "</Part>"
    }
    return Array((text + "</CompleteMultipartUpload>").utf8)
  }

  private static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      default: String(character)
      }
    }.joined()
  }

  /// Whether an object of so many parts, and not one from before, has the key: then a completion
  /// worked whose answer got lost.
  private func isStored(_ count: Int, since start: Int?) async throws -> Bool {
    let request = S3Connection.Request(
      method: "HEAD", action: .read, key: key, timeouts: operation.settings.requestTimeouts)
    do {
      let head = try await connection.send(request).head
      let tag = head["etag"]?.filter { $0 != "\"" } ?? ""
      let fits = !tag.contains("-") || tag.hasSuffix("-\(count)")
      let stored = head["last-modified"].flatMap { RetryAfter.seconds(date: $0) }
      let isOlder = if let start, let stored { stored < start - 1 } else { false }
      return fits && !isOlder && head["content-length"].flatMap { Int($0) } == size
    } catch let failed as FailedTry where !failed.error.isRetryable {
      // Also where nothing may be read: the parts are sent once more then.
      return false
    }
  }

  // MARK: Give up

  /// Removes what the store has of an upload. A caller that was cancelled does not wait long for it.
  private func abandon(_ session: @escaping @Sendable () async throws -> Session) async {
    let removal = cleanUps.start {
      // Without an id there is nothing to remove.
      guard let session = try? await session() else { return }
      await remove(session.id)
    }
    await removal.wait(afterCancellation: .milliseconds(500))
  }

  private func remove(_ id: String) async {
    var timeouts = operation.settings.requestTimeouts
    timeouts.total = .seconds(3)
    let request = S3Connection.Request(
      method: "DELETE", action: .write, key: key, query: CanonicalQuery([("uploadId", id)]),
      timeouts: timeouts)
    var last: any Error = CancellationError()
    for number in 0..<3 {
      do {
        _ = try await connection.send(request)
        return
      } catch let failed as FailedTry where failed.error.answer?.status == 404 {
        return
      } catch { last = error }
      try? await Task.sleep(for: .milliseconds(100 << number))
    }
    let reason = (last as? FailedTry).map { "\($0.error)" } ?? "\(last)"
    logger.warning(
      "parts of an upload are left in the bucket; a lifecycle rule should remove such",
      metadata: [
        "event": "storage_abort_failed", "key": "\(key)", "upload": "\(id)", "error": "\(reason)",
      ])
  }
}
