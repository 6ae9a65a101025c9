import TestSupport
import Testing

@testable import CurlClient

@Suite struct URLPartsTests {
  @Test func `a URL has the parts that were written`() throws {
    let url = try HTTPURL("https://us%3Aer:p%40ss@Example.com:8443/a%2fb/../c?x=%41&y=#frag")
    #expect(url.path == "/a%2fb/../c" && url.query == "x=%41&y=")
    #expect(try url.userInfo == Array("us:er:p@ss".utf8))
    #expect(url.publicText == "https://example.com:8443/a%2fb/../c")

    let bare = try HTTPURL("http://[FD00::1]:80")
    #expect(try bare.path == "/" && bare.query == nil && bare.userInfo == nil)
    #expect(try HTTPURL("http://u@h/?").userInfo == Array("u:".utf8))
    #expect(try HTTPURL("http://u@h/?").query == nil)
    #expect(throws: HTTPError.self) { try HTTPURL("http://u:%0d@h").userInfo }
    #expect(bare.publicText == "http://[fd00::1]/")
  }

  @Test func `the same server with another path has neither user name nor fragment`() throws {
    let url = try HTTPURL("https://user:pass@example.com/a?b#c")
    #expect(try url.with(path: "/x%20y", query: "q").text == "https://example.com/x%20y?q")
    #expect(try url.with(path: "/", query: nil).text == "https://example.com/")
    #expect(throws: HTTPError.self) {
      try url.with(path: "/" + String(repeating: "a", count: 8192), query: nil)
    }
  }

  @Test(arguments: [
    ("https://other.example/x?y", "https://other.example/x?y"), ("/x/y", "https://a.example/x/y"),
    ("y?z", "https://a.example/p/q/y?z"), ("../y", "https://a.example/p/y"),
    ("//b.example/x", "https://b.example/x"), ("/a b/é", "https://a.example/a%20b/%c3%a9"),
    ("http://a.example:80/", "http://a.example/"),
  ]) func `a reference is read against the URL that it came with`(
    reference: String, expected: String
  ) throws {
    let base = try HTTPURL("https://a.example/p/q/r?s=1#t")
    let resolved = try base.resolving(reference)
    let query = resolved.query.map { "?" + $0 } ?? ""
    #expect(resolved.publicText + query == expected)
  }

  @Test(arguments: [
    "ftp://a.example/", "javascript:alert(1)", "http://exämple.com/", "http://[::1/", "/a\u{0}b",
    "/a\r\nb", "http://",
  ]) func `a reference to nothing that can be called is refused`(reference: String) throws {
    let base = try HTTPURL("https://a.example/p/q?s3cret")
    let error = try #require(throws: HTTPError.self) { try base.resolving(reference) }
    #expect(error.code == .invalidRequest)
    #expect(!error.description.contains("s3cret") && !error.description.contains(reference))
  }

  @Test func `a server is scheme, host and port`() throws {
    let url = try HTTPURL("https://a.example/x")
    #expect(try url.isSameServer(as: HTTPURL("https://u:p@A.example.:443/y")))
    for other in ["http://a.example/x", "https://b.example/x", "https://a.example:444/x"] {
      #expect(try !url.isSameServer(as: HTTPURL(other)))
    }
  }
}
