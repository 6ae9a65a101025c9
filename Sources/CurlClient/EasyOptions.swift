import CCurl
import Glibc

/// Tells libcurl what a transfer is to do.
struct EasyOptions {
  private static let blockSize = 512 << 10

  let easy: UnsafeMutableRawPointer
  let transfer: Transfer

  func set(
    fields: UnsafeMutablePointer<curl_slist>?, errorText: UnsafeMutablePointer<CChar>
  ) throws(HTTPError) {
    let request = transfer.request
    try text(CURLOPT_URL, request.url.text)
    try number(CURLOPT_PATH_AS_IS, 1)
    try pointer(CURLOPT_ERRORBUFFER, errorText)
    try number(CURLOPT_NOSIGNAL, 1)
    // A name that is being looked up must not hold up the loop when its transfer ends.
    try number(CURLOPT_QUICK_EXIT, 1)
    try text(CURLOPT_USERAGENT, transfer.configuration.userAgent)
    try pointer(CURLOPT_HTTPHEADER, fields)
    try setSecurity()
    try setTimes(request.timeouts)
    try setMethod(request)
    try setCallbacks()
  }

  private func setSecurity() throws(HTTPError) {
    try text(CURLOPT_PROTOCOLS_STR, "http,https")
    try number(CURLOPT_FOLLOWLOCATION, 0)
    try number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try number(CURLOPT_SSL_VERIFYPEER, 1)
    try number(CURLOPT_SSL_VERIFYHOST, 2)
    let configuration = transfer.configuration
    if let file = configuration.authorityFile {
      try text(CURLOPT_CAINFO, file)
      if !configuration.trustsSystem { try text(CURLOPT_CAPATH, nil) }
    }
    // An empty name also keeps libcurl from asking the environment.
    if !configuration.usesProxies || configuration.addresses != nil {
      try text(CURLOPT_PROXY, "")
    }
    try number(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
  }

  private func setTimes(_ timeouts: HTTPTimeouts) throws(HTTPError) {
    try number(CURLOPT_CONNECTTIMEOUT_MS, max(1, timeouts.connect.milliseconds))
    if let total = timeouts.total { try number(CURLOPT_TIMEOUT_MS, max(1, total.milliseconds)) }
    try number(CURLOPT_LOW_SPEED_LIMIT, 1)
    try number(CURLOPT_LOW_SPEED_TIME, max(1, timeouts.stall.milliseconds / 1000))
    try number(CURLOPT_TCP_NODELAY, 1)
    try number(CURLOPT_TCP_KEEPALIVE, 1)
  }

  private func setMethod(_ request: HTTPRequest) throws(HTTPError) {
    if request.method == "HEAD" {
      try number(CURLOPT_NOBODY, 1)
      return
    }
    if let body = request.body ?? (["POST", "PUT"].contains(request.method) ? HTTPBytes([]) : nil) {
      try number(CURLOPT_UPLOAD, 1)
      try size(CURLOPT_INFILESIZE_LARGE, body.length ?? -1)
      let count = body.length.map { min($0, Int64(Self.blockSize)) }
      try number(CURLOPT_UPLOAD_BUFFERSIZE, count.map { Int($0) } ?? Self.blockSize)
    }
    try text(CURLOPT_CUSTOMREQUEST, request.method)
    try number(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000)
  }

  private func setCallbacks() throws(HTTPError) {
    let this = Unmanaged.passUnretained(transfer).toOpaque()
    try check(ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION, receiveHead))
    try pointer(CURLOPT_HEADERDATA, this)
    try check(ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION, receiveBody))
    try pointer(CURLOPT_WRITEDATA, this)
    try check(ccurl_set_data_callback(easy, CURLOPT_READFUNCTION, sendBody))
    try pointer(CURLOPT_READDATA, this)
    try check(ccurl_set_seek_callback(easy, refuseToRewind))
    try pointer(CURLOPT_SEEKDATA, this)
    try check(ccurl_set_open_callback(easy, openSocket))
    try pointer(CURLOPT_OPENSOCKETDATA, this)
  }

  // MARK: By type

  private func number(_ option: CURLoption, _ value: Int) throws(HTTPError) {
    try check(ccurl_set_long(easy, option, value))
  }

  private func size(_ option: CURLoption, _ value: Int64) throws(HTTPError) {
    try check(ccurl_set_size(easy, option, curl_off_t(value)))
  }

  private func text(_ option: CURLoption, _ value: String?) throws(HTTPError) {
    try check(ccurl_set_text(easy, option, value))
  }

  private func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) throws(HTTPError) {
    try check(ccurl_set_pointer(easy, option, value))
  }

  private func check(_ code: CURLcode) throws(HTTPError) {
    guard code != CURLE_OK else { return }
    throw transfer.error(.invalidRequest, String(cString: curl_easy_strerror(code)))
  }
}

extension Duration {
  fileprivate var milliseconds: Int {
    let (seconds, rest) = components
    return Int(min(seconds, 1_000_000) * 1000 + rest / 1_000_000_000_000_000)
  }
}
