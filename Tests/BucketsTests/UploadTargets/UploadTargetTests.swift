import TestSupport
import Testing

@testable import Buckets

@Suite struct UploadTargetTests {
  private func target(_ text: String, id: String = "job") throws -> UploadTarget {
    try UploadTarget(text, id: id, hosts: UploadHosts("*.example"))
  }

  @Test(arguments: [
    ("https://t.example", "https://t.example/a%20b%2B%C3%A9.zip"),
    ("https://t.example/", "https://t.example/a%20b%2B%C3%A9.zip"),
    ("https://t.example/p/q", "https://t.example/p/q/a%20b%2B%C3%A9.zip"),
    ("https://t.example/p/q/", "https://t.example/p/q/a%20b%2B%C3%A9.zip"),
    ("https://t.example/p%2Fq//../", "https://t.example/p%2Fq//../a%20b%2B%C3%A9.zip"),
    ("https://t.example/p/?token=x%41", "https://t.example/p/a%20b%2B%C3%A9.zip?token=x%41"),
    ("https://u:p@t.example:8443/p#f", "https://t.example:8443/p/a%20b%2B%C3%A9.zip"),
    ("https://t.example/p?", "https://t.example/p/a%20b%2B%C3%A9.zip"),
    ("https://t.example/o.zip?X-Sig=a%2fb&c", "https://t.example/o.zip?X-Sig=a%2fb&c"),
    ("https://T.example:443/o?x=/#f", "https://t.example/o?x=/"),
  ]) func `a name is put behind a folder and not behind a signed object`(
    text: String, expected: String
  ) throws {
    #expect(try target(text).url(forFileNamed: "a b+é.zip").text == expected)
  }

  @Test func `a name cannot leave its folder`() throws {
    let url = try target("https://t.example/p").url(forFileNamed: "../a?b#c/d")
    #expect(url.text == "https://t.example/p/..%2Fa%3Fb%23c%2Fd")
  }

  @Test func `a user name becomes a field that nobody sees`() throws {
    let target = try target("https://user:p%40ss%c3%a9@t.example/p")
    #expect(target.authorization?.revealed == "Basic dXNlcjpwQHNzw6k=")
    #expect(!String(reflecting: target).contains("dXNlc"))
    #expect(try self.target("https://t.example/p").authorization == nil)
  }

  @Test func `a folder is told type and job, a signed object the type alone`() throws {
    let folder = try target("https://t.example/p", id: "predict:é b:1")
      .fields(contentType: "image/tiff")
    #expect(folder.map(\.name) == ["Content-Type", "X-Prediction-ID"])
    #expect(folder.map(\.value) == ["image/tiff", "predict:%C3%A9%20b:1"])
    let object = try target("https://t.example/p?s")
    #expect(object.fields(contentType: "image/tiff").map(\.name) == ["Content-Type"])
    #expect(object.fields(contentType: nil).isEmpty)
  }

  @Test(arguments: [
    "", " ", "t.example", "/p", "ftp://t.example/", "file:///etc/passwd", "javascript:alert(1)",
    "https://", "https:///x", "https://t.example:99999/", "https://t.example/a b",
    "https://t.example/s3cret\r\nX-Evil: 1", "https://t.example/s3cret\n",
    "https://t.example/\u{0}",
    "https://t.example/s3cret\u{7f}", "https://t.exämple/", "https://t.example/é",
    "https://t.example/s3cret?" + String(repeating: "a", count: 8192), "https://[::1/s3cret",
    "https://u:s3cret@evil/", "https://evil/?s3cret", "https://u:s3cret@t.example@evil/s3cret",
    "http://t.example/?s3cret", "https://evil\\@t.example/s3cret", "https://evil#@t.example/s3cret",
    "https://evil?@t.example/s3cret", "https://u:s3cret%0a@t.example/",
    "https://u%00s3cret@t.example/",
  ]) func `what cannot be used is refused without repeating it`(text: String) throws {
    let error = try #require(throws: BucketError.self) { try target(text) }
    #expect(error.code == .invalidRequest && !error.isRetryable)
    #expect(!"\(error)".contains("s3cret"))
  }

  @Test(arguments: ["a\rb", "a\nb", "a\u{0}b"])
  func `the name of a job that would break out of its line is refused`(id: String) throws {
    let error = try #require(throws: BucketError.self) { try target("https://t.example/", id: id) }
    #expect(error.reason.contains("X-Prediction-ID"))
    // There it is not sent.
    _ = try target("https://t.example/o?s", id: id)
  }

  @Test(arguments: 0..<300) func `whatever a job says, only listed hosts are named`(seed: Int)
    throws
  {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "https://", "http://", "t.example", "evil", "@", ":", "/", "\\", "?", "#", "%40", "%2f", "..",
      "443", "[", "]", "::1", "127.0.0.1", "&", "=", "é", "\t", ".", "user",
    ]
    let text =
      "https://"
      + (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        pieces.randomElement(using: &generator) ?? ""
      }.joined()
    guard let target = try? target(text) else { return }
    let url = try target.url(forFileNamed: "f")
    #expect(url.host.hasSuffix(".example") && url.scheme == "https", "\(text.debugDescription)")
    #expect(try url.userInfo == nil)
  }
}
