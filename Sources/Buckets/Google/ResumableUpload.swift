import CurlClient

/// The upload of a large file in chunks, which goes on where it broke off.
///
/// The store gives it a session, whose URL is all that is needed to write: it is never shown.
final class ResumableUpload {
  /// The store keeps whole units of a chunk that is not the last.
  private static let unit = 256 << 10
  /// How long the start of a session goes on that nobody waits for any more.
  private static let startLimit: Duration = .seconds(5)

  private let upload: GoogleUpload
  private let chunkSize: Int
  private var session: HTTPURL?
  /// What the store has; nil when it must be asked.
  private var position: Int?
  /// What the store has had for certain.
  private var confirmed = 0
  private var sessionCount = 0
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
      giveUp()
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
    let session = try await begin()
    self.session = session
    sessionCount += 1
    move(to: 0)
    return session
  }

  private func begin() async throws -> HTTPURL {
    let query =
      [("uploadType", "resumable"), ("name", key.text), ("prettyPrint", "false")]
      + [("fields", GoogleObject.fields)] + GoogleUpload.aclQuery(isPublic)
    let request = HTTPRequest(
      "POST", try service.endpoint.upload(query),
      fields: [
        HTTPField("Content-Type", "application/json; charset=UTF-8"),
        HTTPField("X-Upload-Content-Type", upload.contentType),
        HTTPField("X-Upload-Content-Length", "\(size)"),
      ],
      body: HTTPBytes(try upload.description.json), timeouts: service.settings.requestTimeouts)
    let service = service
    let start = Self.start(request, upload.action(isPublic), key, service)
    do { return try await start.valueUnlessCancelled() } catch let error as CancellationError {
      upload.cleanUps.start {
        // What has no session leaves none.
        guard let session = try? await start.value(within: Self.startLimit) else { return }
        await Self.end(session, service)
      }
      throw error
    }
  }

  /// Not a child: broken off, it could leave a session that nobody knows.
  private static func start(
    _ request: HTTPRequest, _ action: GoogleFailures.Action, _ key: ObjectKey,
    _ service: GoogleService
  ) -> Task<HTTPURL, any Error> {
    Task {
      let response = try await service.send(request, action, key)
      guard let location = response.head["location"] else {
        throw refusal("the store begins no session for the upload of \(key)", key)
      }
      return try service.endpoint.session(location)
    }
  }

  /// Asks what the store has; returns whether it has all.
  private func askState(_ session: HTTPURL) async throws -> Bool {
    let response = try await service.sendToSession(
      HTTPRequest(
        "PUT", session, fields: [HTTPField("Content-Range", "bytes */\(size)")],
        timeouts: service.settings.requestTimeouts))
    return try await settle(response, session)
  }

  private func sendChunk(from start: Int, _ session: HTTPURL) async throws -> Bool {
    let chunk = start..<min(start + chunkSize, size)
    let meter = TransferMeter(upload.operation)
    defer { meter.reached(0) }
    let range = chunk.isEmpty ? "*" : "\(chunk.lowerBound)-\(chunk.upperBound - 1)"
    let response = try await service.sendToSession(
      HTTPRequest(
        "PUT", session,
        fields: [
          HTTPField("Content-Type", upload.contentType),
          HTTPField("Content-Range", "bytes \(range)/\(size)"),
        ],
        body: FileRange(upload.file.descriptor, chunk, meter: meter),
        timeouts: service.settings.transferTimeouts))
    let isComplete = try await settle(response, session)
    guard isComplete || position ?? 0 > start else {
      throw Self.refusal("the store keeps nothing of a chunk of \(key)", key)
    }
    return isComplete
  }

  /// Takes in what the store says it has; returns whether that is all.
  private func settle(_ response: HTTPResponse, _ session: HTTPURL) async throws -> Bool {
    switch response.status {
    case 200, 201:
      try await upload.confirm(response)
      move(to: size)
      return true
    case 308:
      // Without the field nothing is stored.
      let stored = response.head["range"].map(Self.stored) ?? 0
      guard let stored, stored <= size else {
        throw Self.refusal("the store tells no range of \(key) that it has", key)
      }
      guard stored >= confirmed else { throw ended("the store has lost a part of \(key)") }
      move(to: stored)
      return false
    case 404, 410:
      self.session = nil
      throw ended("the store has ended the upload of \(key)")
    default:
      throw service.failures.failedTry(
        response.head, response.body, upload.action(isPublic), key, session: session)
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

  private static func refusal(_ why: String, _ key: ObjectKey) -> FailedTry {
    FailedTry(
      BucketError(.server, key: key.text, why, isRetryable: true), .later(atLeast: nil))
  }

  private func ended(_ why: String) -> FailedTry {
    FailedTry(BucketError(.server, key: key.text, why, isRetryable: true), .once(.replaced))
  }

  /// A failure as it counts over all rounds: what can be set right once begins a new session.
  private func next(after error: any Error) -> any Error {
    guard var failed = error as? FailedTry, case .once(let remedy) = failed.retry,
      remedy != .credential
    else { return error }
    giveUp()
    move(to: 0)
    position = nil
    if remedy == .option {
      isPublic = false
      wasRefused = true
      return failed
    }
    defer { hasRestarted = true }
    guard hasRestarted else { return failed }
    failed.error.tries = sessionCount
    return FailedTry(failed.error, .never)
  }

  /// Lets the store forget what it has of a file that will not come; nobody waits for that.
  private func giveUp() {
    guard let session else { return }
    self.session = nil
    upload.cleanUps.start { [service] in await Self.end(session, service) }
  }

  /// What the store does not hear it forgets after a week.
  private static func end(_ session: HTTPURL, _ service: GoogleService) async {
    var timeouts = service.settings.requestTimeouts
    timeouts.total = .seconds(3)
    let request = HTTPRequest("DELETE", session, timeouts: timeouts)
    for _ in 0..<3 {
      if (try? await service.sendToSession(request)) != nil { return }
    }
  }
}
