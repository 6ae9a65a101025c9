import CurlClient

/// A response that is no success, read as far as it can be.
struct S3Response: Sendable {
  let head: HTTPHead
  /// `NoSuchKey`; nil for a response without a document, as those to HEAD are.
  let code: String?
  /// The server's words, on one line and not many.
  let message: String?
  /// Where the bucket is, if that is what the server wants to say.
  let region: String?
  let requestID: String?

  init(_ head: HTTPHead, body: [UInt8]) {
    self.head = head
    // A proxy may answer with HTML or with nothing; the status is enough then.
    let document = (try? XMLFields(body)).flatMap { $0.root == "Error" ? $0 : nil }
    code = document?["Code"].flatMap { Self.isWord($0) ? $0 : nil }
    message = document?["Message"].map(Self.plain)
    requestID =
      (head["x-amz-request-id"] ?? document?["RequestId"]).flatMap { Self.isWord($0) ? $0 : nil }
    region = (head["x-amz-bucket-region"] ?? document?["Region"]).flatMap {
      S3Address.isRegion($0) ? $0 : nil
    }
  }

  var status: Int { head.status }

  /// Servers choose these; nothing else than a name gets into messages.
  private static func isWord(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") }
  }

  /// Without what could be a query, which may be a signature.
  private static func plain(_ text: String) -> String {
    let words = text.split { $0.isWhitespace || $0.unicodeScalars.contains { $0.value < 32 } }
    let line = words.map { $0.prefix { $0 != "?" && $0 != "&" } }.joined(separator: " ")
    return line.count > 200 ? line.prefix(200) + "..." : line
  }
}
