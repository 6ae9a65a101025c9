/// What Google says about a request that failed: JSON, plain text or a page of HTML.
struct GoogleErrorText: Sendable {
  /// `rateLimitExceeded` and the like.
  private(set) var reason: String?
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

  init(_ body: [UInt8]) {
    if let details = try? GoogleJSON.decode(Document.self, body).error {
      reason = (details.errors?.first?.reason ?? details.status).map(Self.printable)
      message = details.message.map(Self.printable)
      return
    }
    let text = String(decoding: body.prefix(1024), as: UTF8.self)
    let start = text.drop { $0.isWhitespace }
    if !start.isEmpty, !start.hasPrefix("<"), !start.hasPrefix("{") {
      message = Self.printable(String(start))
    }
  }

  /// A server's words as they may stand in messages: short, on one line, and URLs without queries.
  static func printable(_ text: String) -> String {
    var isInQuery = false
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isBlank = scalar.value <= 0x20 || scalar.value == 0x7f
      if isBlank { isInQuery = false }
      guard !isInQuery else { continue }
      if result.count >= 300 { break }
      result.append(isBlank ? " " : scalar)
      if scalar == "?" { isInQuery = true }
    }
    return String(result)
  }

  func mentions(_ words: String...) -> Bool {
    guard let message = message?.lowercased() else { return false }
    return words.contains { message.contains($0) }
  }

  var isRateLimit: Bool { reason == "rateLimitExceeded" || reason == "userRateLimitExceeded" }

  /// Whether what came was not what had been sent.
  var isAboutChecksum: Bool { mentions("crc32c", "md5", "checksum", "hash") }

  /// Whether it is the right to make objects public that is missing.
  static func isAboutPublicAccess(_ text: String) -> Bool {
    let text = text.lowercased()
    return ["setiampolicy", " acl", "public access prevention", "scope"]
      .contains { text.contains($0) }
  }
}

extension BucketError {
  /// Whether there is no such object, in a bucket that there is.
  var isMissingObject: Bool { code == .notFound && !reason.hasPrefix("the bucket ") }
}
