import Redaction
import TestSupport
import Testing

@Suite struct RedactionTests {
  @Test(arguments: [
    ("GET https://u:p@h.example:8/a/b?c=d#e failed", "GET https://***@h.example:8/a/b?*** failed"),
    ("https://h/a#frag, then", "https://h/a#*** then"),
    ("\"https://h/a?b\" and <https://h/c?d>", "\"https://h/a?***\" and <https://h/c?***>"),
    ("redis://:hunter2@redis:6379/0", "redis://***@redis:6379/0"),
    (#"{"url":"https:\/\/u:p@h\/a?b=c"}"#, #"{"url":"https:\/\/***@h\/a?***"}"#),
    ("https://h/mail@home.tif", "https://h/mail@home.tif"),
    (
      "Authorization: AWS4-HMAC-SHA256 Credential=A/b, Signature=cd\nnext",
      "Authorization: ***\nnext"
    ),
    ("authorization=Basic dTpw", "authorization=***"),
    ("x-amz-security-token:FQoG==\r\nHost: h", "x-amz-security-token:***\r\nHost: h"),
    ("a?X-Amz-Signature=ab12&X-Amz-Expires=60", "a?X-Amz-Signature=***&X-Amz-Expires=60"),
    ("X-Goog-Signature=ab; sig=cd%2F, e", "X-Goog-Signature=***; sig=***, e"),
    (#"{"Token" : "ab cd", "Code":"Success"}"#, #"{"Token" : "***", "Code":"Success"}"#),
    (#"{\"access_token\":\"ya29.x\",\"a\":1}"#, #"{\"access_token\":\"***",\"a\":1}"#),
    ("<SessionToken>ab/c==</SessionToken>", "<SessionToken>***</SessionToken>"),
    ("sent Bearer ya29.abcdefghijklmnop to h", "sent Bearer *** to h"),
    ("password=hunter2", "password=***"),
  ]) func `what opens doors is left out`(text: String, expected: String) {
    #expect(text.redacted == expected)
  }

  @Test(arguments: [
    "", "the key uploads/a b.tif does not exist", "SignatureDoesNotMatch: check the secret key",
    "the basic facts of a token", "12:30:01 design=7", "https://h.example/a/b.tif", "é日本 😀",
    "cannot reach Redis at redis:6379; check REDIS_HOST", "Bearer token refused",
  ]) func `what says nothing secret is left as it is`(text: String) {
    #expect(text.redacted == text)
  }

  /// Where secrets stand in what this program and the servers that it speaks to say.
  private static let places = [
    "https://host/key?%", "https://host/key?a=b&sig=%&c=d", "http://user:%@host/key", "http://%@h",
    "https://h/a#%", "redis://:%@h:6379", "Authorization: Bearer %", "Authorization: Basic %",
    "authorization: AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host, Signature=%",
    "Proxy-Authorization: %", "x-amz-security-token: %", "X-AMZ-SECURITY-TOKEN=%",
    "X-Amz-Signature=%", "X-Goog-Signature=%", "sig=%", "&sig=%&", "?upload_id=%",
    "{\"Token\":\"%\"}", "{\"SecretAccessKey\" : \"%\"}", "{'access_token': '%'}",
    "<SecretAccessKey>%</SecretAccessKey>",
    "Location: https://h/o?uploadType=resumable&upload_id=%",
    "X-aws-ec2-metadata-token: %", "assertion=%&grant_type=x", "Cookie: a=b; session=%",
  ]

  @Test(arguments: 0..<300) func `no secret is left, wherever it stands`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=._~-")
    let fillers = ["", " ", "\n", "é ", "failed: ", "GET ", "\t\"x\" ", "(", ", ", "a=b ", "\0 "]
    var secrets: [String] = []
    var text = ""
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let secret = String(
        (0..<Int.random(in: 8...60, using: &generator)).map { _ in
          letters.randomElement(using: &generator) ?? "x"
        })
      secrets.append(secret)
      text += fillers.randomElement(using: &generator) ?? ""
      text += (Self.places.randomElement(using: &generator) ?? "").replacing("%", with: secret)
      text += fillers.randomElement(using: &generator) ?? ""
      text += "\n"
    }
    let redacted = text.redacted
    for secret in secrets { #expect(!redacted.contains(secret), "\(text.debugDescription)") }
    #expect(redacted.redacted == redacted)
    #expect(redacted.split(separator: "\n").count == text.split(separator: "\n").count)
  }

  @Test(arguments: 0..<300) func `any text comes through`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "://", "https", "@", "?", "#", "sig", "=", ":", "\"", "'", "\\", " ", "\n", "token", ">", "<",
      "Bearer ", "é", "\0", "***", "/", "authorization",
    ]
    let text = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
      pieces.randomElement(using: &generator) ?? ""
    }.joined()
    let redacted = text.redacted
    #expect(redacted.redacted == redacted, "\(text.debugDescription)")
    #expect(redacted.utf8.count <= text.utf8.count + 3 * 60)
  }
}
