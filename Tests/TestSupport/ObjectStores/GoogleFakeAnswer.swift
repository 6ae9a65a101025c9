/// What a ``GoogleFake`` answers.
struct GoogleFakeAnswer: Sendable {
  var status: Int
  var fields: [String: String]
  var body: Body

  enum Body: Sendable {
    case bytes([UInt8])
    case blob(FakeBlob, Range<Int>)
  }

  init(_ status: Int, _ fields: [String: String] = [:], body: Body = .bytes([])) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  init(_ status: Int, _ fields: [String: String] = [:], text: String) {
    self.init(status, fields, body: .bytes(Array(text.utf8)))
  }

  var count: Int {
    switch body {
    case .bytes(let bytes): bytes.count
    case .blob(_, let range): range.count
    }
  }

  func bytes(_ range: Range<Int>) -> [UInt8] {
    switch body {
    case .bytes(let bytes): Array(bytes[range])
    case .blob(let blob, let whole):
      blob.read(whole.lowerBound + range.lowerBound..<whole.lowerBound + range.upperBound)
    }
  }

  // MARK: Google's errors

  static func error(_ status: Int, _ reason: String, _ message: String) -> Self {
    Self(
      status, ["Content-Type": "application/json; charset=UTF-8"],
      text: errorText(status, reason, message))
  }

  static func errorText(_ status: Int, _ reason: String, _ message: String) -> String {
    GoogleFakeError.json(status, reason, message)
  }

  /// Reads of bytes are refused in plain text.
  static func plain(_ status: Int, _ message: String) -> Self {
    Self(status, ["Content-Type": "text/html; charset=UTF-8"], text: message)
  }
}

/// The body of an error.
public enum GoogleFakeError {
  public static func json(_ status: Int, _ reason: String, _ message: String) -> String {
    let message = message.replacing("\"", with: "\\\"")
    return """
      {"error":{"code":\(status),"message":"\(message)","errors":\
      [{"message":"\(message)","domain":"global","reason":"\(reason)"}]}}
      """
  }
}
