import CCurl
import Glibc
import Synchronization

/// One request on its way. Used by the loop's thread alone, but for `isCancelled`.
final class Transfer: @unchecked Sendable {
  /// Bodies from this size on are sent only once the server has said that it takes them.
  private static let expectLimit: Int64 = 1 << 20

  let request: HTTPRequest
  let configuration: HTTPClientConfiguration
  let sink: any HTTPBodySink
  let isCancelled = Atomic(false)

  var continuation: CheckedContinuation<HTTPHead, any Error>?
  private(set) var easy: UnsafeMutableRawPointer?
  private var fields: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  var head = HeadReader()
  /// How far the request's body has been read.
  var offset: Int64 = 0
  /// Why a callback broke the transfer off.
  var failure: HTTPError?
  /// Whether the sink wants no more.
  var isSatisfied = false
  /// An address that may not be connected to.
  var refusedAddress: IPAddress?
  /// Whether there was one that may.
  var hasOpenedSocket = false

  init(
    _ request: HTTPRequest, _ configuration: HTTPClientConfiguration, _ sink: any HTTPBodySink
  ) {
    self.request = request
    self.configuration = configuration
    self.sink = sink
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    close()
    errorText.deallocate()
  }

  /// Makes libcurl's handle, which refers to this object without keeping it.
  func makeEasy() throws(HTTPError) -> UnsafeMutableRawPointer {
    guard let easy = curl_easy_init() else { throw error(.stopped, "out of memory") }
    self.easy = easy
    for field in request.fields { try add(field) }
    if !request.fields.contains(where: { $0.name.lowercased() == "content-type" }) {
      try addLine("Content-Type:")  // libcurl would call it a form.
    }
    // Waiting for leave to send costs a round trip, which only large bodies are worth.
    if (request.body?.length ?? .max) < Self.expectLimit { try addLine("Expect:") }
    try EasyOptions(easy: easy, transfer: self).set(fields: fields, errorText: errorText)
    return easy
  }

  /// Takes the handle apart; only outside of the multi handle.
  func close() {
    if let easy { curl_easy_cleanup(easy) }
    easy = nil
    curl_slist_free_all(fields)
    fields = nil
  }

  private func add(_ field: HTTPField) throws(HTTPError) {
    // Without the semicolon libcurl takes an empty value as the wish not to send the field.
    try addLine(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
  }

  private func addLine(_ line: String) throws(HTTPError) {
    guard let longer = curl_slist_append(fields, line) else {
      throw error(.stopped, "out of memory")
    }
    fields = longer
  }

  func error(_ code: HTTPError.Code, _ reason: String) -> HTTPError {
    HTTPError(code, server: "\(request.url)", reason: reason, status: head.finished?.status)
  }

  // MARK: How it ended

  func outcome(_ code: CURLcode) -> Result<HTTPHead, any Error> {
    if let failure { return .failure(failure) }
    guard code == CURLE_OK || isSatisfied else { return .failure(error(for: code)) }
    guard let head = head.finished else {
      return .failure(error(.connectionLost, "there is no complete response"))
    }
    return .success(head)
  }

  private func error(for code: CURLcode) -> HTTPError {
    if let refusedAddress, !hasOpenedSocket {
      return error(
        .addressRefused, "\(refusedAddress) is not an address of the public internet")
    }
    let detail = String(cString: errorText)
    let reason = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    return error(Self.meaning(of: code), reason)
  }

  private static func meaning(of code: CURLcode) -> HTTPError.Code {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved
    case CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR: .connectionFailed
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      .certificateRefused
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
    case CURLE_FILESIZE_EXCEEDED: .tooLarge
    default: .connectionLost
    }
  }
}
