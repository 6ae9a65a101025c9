/// What Google says about a request that failed: JSON, plain text or a page of HTML.
struct GoogleErrorText: Sendable {
  /// `rateLimitExceeded` and the like.
  private(set) var code: String?
  private(set) var message: String?

  private struct Document: Decodable {
    struct Details: Decodable {
      struct Item: Decodable { var reason: String? }
      var message: String?
      var errors: [Item]?
      var status: String?
    }
    var error: Details
  }

  /// - Parameter secrets: that were sent and might be repeated.
  init(_ body: [UInt8], hiding secrets: [Secret] = []) {
    func shown(_ text: String?) -> String? {
      text.map { ServiceText.shown($0, hiding: secrets) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    if let details = try? GoogleJSON.decode(Document.self, body).error {
      code = shown(details.errors?.first?.reason ?? details.status)
      message = shown(details.message)
      return
    }
    let text = shown(String(decoding: body.prefix(1024), as: UTF8.self))
    if let text, !text.hasPrefix("<"), !text.hasPrefix("{") { message = text }
  }

  func mentions(_ words: String...) -> Bool {
    guard let message = message?.lowercased() else { return false }
    return words.contains { message.contains($0) }
  }

  var isRateLimit: Bool { code == "rateLimitExceeded" || code == "userRateLimitExceeded" }

  /// Whether what came was not what had been sent.
  var isAboutChecksum: Bool { mentions("crc32c", "md5", "checksum", "hash") }
}
