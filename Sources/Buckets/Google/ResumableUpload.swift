import CurlClient

/// The upload of a large file in chunks, which goes on where it broke off.
///
/// The store gives it a session, whose URL is all that is needed to write: it is never shown.
final class ResumableUpload {
  /// The store keeps whole units of a chunk that is not the last.
  private static let unit = 256 << 10
  /// What the end of a session may hold up who has cancelled.
  private static let farewell: Duration = .milliseconds(500)

  private let upload: GoogleUpload
  private let chunkSize: Int
  private var session: HTTPURL?
  /// What the store has; nil when it must be asked.
  private var position: Int?
  /// What the store has had for certain.
  private var confirmed = 0
  /// Whether a session has ended before its time already.
  private var hasRestarted = false
  private var isPublic: Bool
  private var wasRefused = false

  private var size: Int { upload.file.size }
  private var service: GoogleService { upload.service }
  private var key: ObjectKey { upload.key }

  init(_ upload: GoogleUpload) {
    self.upload = upload
    chunkSize = max(upload.service.settings.partSize / Self.unit, 1) * Self.unit
    isPublic = upload.access.isWanted(for: upload.visibility)
  }

  /// - Throws: ``BucketError``; `CancellationError`.
  func run() async throws {
    do {
      // Each round moves bytes, or fails for good.
      while try await !upload.operation.retrying({ try await advance() }) {}
    } catch {
      await giveUp()
      throw error
    }
    if wasRefused { upload.access.wasLeftOut() }
  }

  /// One try to store one more chunk; returns whether the object is complete.
  private func advance() async throws -> Bool {
    do {
      let session = try await currentSession()
      if position == nil, try await askState(session) { return true }
      return try await sendChunk(from: position ?? 0, session)
    } catch {
      position = nil
      throw next(after: error)
    }
  }

  private func currentSession() async throws -> HTTPURL {
    if let session { return session }
    let query =
      [("uploadType", "resumable"), ("name", key.text), ("prettyPrint", "false")]
      + [("fields", GoogleObject.fields)] + GoogleUpload.access(isPublic)
    let request = HTTPRequest(
      "POST", try service.endpoint.upload(query),
      fields: [
        HTTPField("Content-Type", "application/json; charset=UTF-8"),
        HTTPField("X-Upload-Content-Type", upload.contentType),
        HTTPField("X-Upload-Content-Length", "\(size)"),
      ],
      body: HTTPBytes(try upload.description.json), timeouts: service.settings.requestTimeouts)
    let response = try await service.send(request, key)
    guard let location = response.head["location"] else {
      throw refusal("the store begins no session for the upload of \(key)")
    }
    let session = try service.endpoint.session(location)
    self.session = session
    move(to: 0)
    return session
  }

  /// Asks what the store has; returns whether it has all.
  private func askState(_ session: HTTPURL) async throws -> Bool {
    let response = try await service.client.send(
      HTTPRequest(
        "PUT", session, fields: [HTTPField("Content-Range", "bytes */\(size)")],
        timeouts: service.settings.requestTimeouts))
    return try await settle(response)
  }

  private func sendChunk(from start: Int, _ session: HTTPURL) async throws -> Bool {
    let chunk = start..<min(start + chunkSize, size)
    let meter = TransferMeter(upload.operation)
    defer { meter.reached(0) }
    let range = chunk.isEmpty ? "*" : "\(chunk.lowerBound)-\(chunk.upperBound - 1)"
    let response = try await service.client.send(
      HTTPRequest(
        "PUT", session,
        fields: [
          HTTPField("Content-Type", upload.contentType),
          HTTPField("Content-Range", "bytes \(range)/\(size)"),
        ],
        body: FileRange(upload.file.descriptor, chunk, meter: meter),
        timeouts: service.settings.transferTimeouts))
    let isComplete = try await settle(response)
    guard isComplete || position ?? 0 > start else {
      throw refusal("the store keeps nothing of a chunk of \(key)")
    }
    return isComplete
  }

  /// Takes in what the store says it has; returns whether that is all.
  private func settle(_ response: HTTPResponse) async throws -> Bool {
    switch response.status {
    case 200, 201:
      try await upload.confirm(response)
      move(to: size)
      return true
    case 308:
      // Without the field nothing is stored.
      let stored = response.head["range"].map(Self.stored) ?? 0
      guard let stored, stored <= size else {
        throw refusal("the store tells no range of \(key) that it has")
      }
      guard stored >= confirmed else { throw ended("the store has lost a part of \(key)") }
      move(to: stored)
      return false
    case 404, 410: throw ended("the store has ended the upload of \(key)")
    default:
      throw await service.failure(response.head, response.body, key, isSession: true)
    }
  }

  /// `bytes=0-N`: how many those are.
  private static func stored(_ range: String) -> Int? {
    let mark = "bytes=0-"
    guard range.hasPrefix(mark), let last = Int(range.dropFirst(mark.count)), last >= 0,
      last < Int.max
    else { return nil }
    return last + 1
  }

  private func move(to position: Int) {
    upload.operation.move(position - confirmed)
    confirmed = position
    self.position = position
  }

  // MARK: Failures

  private func refusal(_ why: String) -> FailedTry {
    FailedTry(
      BucketError(.server, key: key.text, why, isRetryable: true), .later(atLeast: nil))
  }

  private func ended(_ why: String) -> FailedTry {
    FailedTry(BucketError(.server, key: key.text, why, isRetryable: true), .once(.replaced))
  }

  /// A failure as it counts over all rounds: what can be set right once begins a new session.
  private func next(after error: any Error) -> any Error {
    guard let failed = error as? FailedTry else { return error }
    if isPublic, upload.access.mayBeLeftOut(failed.error) {
      isPublic = false
      wasRefused = true
      endSession()
      return FailedTry(failed.error, .once(.option))
    }
    guard case .once(let remedy) = failed.retry, remedy != .credential else { return error }
    endSession()
    defer { hasRestarted = true }
    return hasRestarted ? FailedTry(failed.error, .never) : error
  }

  private func endSession() {
    session = nil
    move(to: 0)
  }

  /// Lets the store forget what it has of a file that will not come. What it does not hear it forgets
  /// after a week.
  private func giveUp() async {
    guard let session else { return }
    var timeouts = service.settings.requestTimeouts
    timeouts.total = .seconds(10)
    let request = HTTPRequest("DELETE", session, timeouts: timeouts)
    let client = service.client
    let farewell = upload.cleanUps.start { _ = try? await client.send(request) }
    await farewell.wait(atMost: Task.isCancelled ? Self.farewell : .seconds(10))
  }
}
