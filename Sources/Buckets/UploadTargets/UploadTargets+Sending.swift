import CurlClient
import Glibc
import Redaction

import struct FoundationEssentials.URL

extension UploadTargets {
  private static let redirectLimit = 5

  /// Sends a file, again while that may help.
  ///
  /// - Returns: where the target has it, without what may be secret.
  /// - Throws: ``BucketError``, whose text names the target's host only; `CancellationError`.
  package func upload(
    _ file: URL, to target: UploadTarget, contentType: String, progress: @escaping TransferProgress
  ) async throws -> String {
    let start = clock.now
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw BucketError(
        .temporaryFolder, "cannot read \(file.lastPathComponent): \(SystemError.last.text)")
    }
    let source = FileDescriptor(descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw BucketError(
        .temporaryFolder, "cannot read \(file.lastPathComponent): \(SystemError.last.text)")
    }
    let size = Int(status.st_size)
    let url = try target.url(forFileNamed: file.lastPathComponent)
    let fields = target.fields(
      contentType: target.isObject && !sendsContentType ? nil : contentType)

    let operation = StoreOperation(
      key: nil, settings: settings, clock: clock, logger: logger, progress: progress)
    let result = try await operation.run {
      let meter = TransferMeter(operation)
      return try await operation.retrying {
        meter.reached(0)
        let body = FileRange(source, 0..<size, meter: meter)
        return try await put(body, at: url, fields, target.authorization)
      }
    }
    logger.debug(
      "sent a result",
      metadata: [
        "server": "\(url)", "bytes": "\(size)", "duration": "\(clock.now - start)",
      ])
    return result
  }

  /// One try, with the redirects that come of it.
  private func put(
    _ body: FileRange, at url: HTTPURL, _ fields: [HTTPField], _ authorization: Secret?
  ) async throws -> String {
    var url = url
    var authorization = authorization
    for _ in 0...Self.redirectLimit {
      var request = HTTPRequest(
        "PUT", url, fields: fields, body: body, timeouts: settings.transferTimeouts)
      if let authorization {
        request.fields.append(HTTPField("Authorization", authorization.revealed))
      }
      let head = try await send(request)
      switch head.status {
      case 200..<300: return Self.result(head, url)
      case 307, 308:
        let next = try redirect(head, url)
        // What is for one server is no other's business, also when that leads back.
        if !next.isSameServer(as: url) { authorization = nil }
        url = next
      case 300..<400:
        throw refusal(
          .invalidRequest, "it answers with a redirect that asks for no upload", head.status, url)
      default: throw failure(head, url)
      }
    }
    throw refusal(.invalidRequest, "it redirects more than \(Self.redirectLimit) times", nil, url)
  }

  private func send(_ request: HTTPRequest) async throws -> HTTPHead {
    let answer = AnswerSink()
    do {
      let head = try await http().transfer(request, into: answer)
      if head.status >= 400 {
        logger.debug(
          "a target refused a result",
          metadata: [
            "server": "\(request.url)", "status": "\(head.status)",
            "answer": "\(answer.words(hiding: Self.secrets(of: request)))",
          ])
      }
      return head
    } catch let error as HTTPError {
      // What refuses a file or sends it elsewhere seldom reads all of it: the connection then ends
      // under it.
      if let head = answer.head, head.status >= 300 { return head }
      if error.code == .addressRefused {
        throw refusal(
          .invalidRequest,
          "it leads to an address that is not of the public internet; results are sent there only "
            + "if STORAGE_UPLOAD_HOSTS of this service names the host with its port",
          nil, request.url)
      }
      throw error
    }
  }

  /// What the target knows and nobody else may hear of.
  private static func secrets(of request: HTTPRequest) -> [Secret] {
    let login = request.fields.first { $0.name == "Authorization" }?.value
    return [request.url.query, login].compactMap { $0.map(Secret.init) }
  }

  private func redirect(_ head: HTTPHead, _ url: HTTPURL) throws(FailedTry) -> HTTPURL {
    func refuse(_ why: String) -> FailedTry { refusal(.invalidRequest, why, head.status, url) }
    guard let location = head["location"], !location.isEmpty else {
      throw refuse("it redirects to nowhere")
    }
    let next: HTTPURL
    do throws(HTTPError) {
      let whole = try url.resolving(location)
      next = try whole.with(path: whole.path, query: whole.query)
    } catch {
      throw refuse("it redirects to what is no URL: \(error.reason)")
    }
    guard next.scheme == "https" || url.scheme == "http" && hosts.allowHTTP(next) else {
      throw refuse("it redirects to \(next), which is not https")
    }
    return next
  }

  private static func result(_ head: HTTPHead, _ url: HTTPURL) -> String {
    // People open this: what is no web address is not passed on.
    if let location = head["location"], !location.isEmpty, let place = try? url.resolving(location)
    {
      return place.publicText
    }
    return url.publicText
  }

  // MARK: Failures

  private func failure(_ head: HTTPHead, _ url: HTTPURL) -> FailedTry {
    let code: BucketError.Code =
      switch head.status {
      case 401, 403: .accessDenied
      case 408: .timeout
      case 413: .tooLarge
      case 429, 503: .throttled
      case 500...: .server
      default: .invalidRequest
      }
    var failed = refusal(code, "it did not take the result", head.status, url)
    if head.isTransientFailure {
      failed = FailedTry(
        BucketError(code, failed.error.reason, isRetryable: true, answer: failed.error.answer),
        .later(atLeast: head.retryAfter))
    }
    return failed
  }

  private func refusal(
    _ code: BucketError.Code, _ why: String, _ status: Int?, _ url: HTTPURL
  ) -> FailedTry {
    FailedTry(
      BucketError(
        code, "the result cannot be sent to upload_url: \(why)",
        answer: .init(status: status, server: "\(url)")),
      .never)
  }
}
