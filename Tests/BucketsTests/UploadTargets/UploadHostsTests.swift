import CurlClient
import Testing

@testable import Buckets

@Suite struct UploadHostsTests {
  private func isListed(_ url: String, in list: String) throws -> Bool {
    let url = try HTTPURL(url)
    do {
      try UploadHosts(list).check(url)
      return true
    } catch {
      #expect(error.code == .invalidRequest && !error.isRetryable)
      return false
    }
  }

  @Test(arguments: [
    ("targets.example", "https://targets.example/x"),
    ("targets.example", "https://TARGETS.example.:8443/x"),
    ("a, targets.example ,b", "https://targets.example/"),
    ("*.lab.example", "https://a.b.lab.example/"),
    ("http://cog.example", "http://cog.example:5000/"),
    ("http://cog.example", "https://cog.example/"),
    ("https://targets.example/", "https://targets.example/x"),
    ("http://*.lab.example:5000", "http://a.lab.example:5000/"),
    ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
    ("http://127.0.0.1:5000", "http://0x7f.1:5000/"),
    ("[fd00::7]:443", "https://[FD00:0::7]/"), ("93.184.216.34", "https://93.184.216.34/"),
  ]) func `a host that is listed may be named`(list: String, url: String) throws {
    #expect(try isListed(url, in: list))
  }

  @Test(arguments: [
    ("", "https://targets.example/"), (" , ", "https://targets.example/"),
    ("targets.example", "http://targets.example/"),
    ("targets.example", "https://a.targets.example/"),
    ("targets.example", "https://targets.example.evil/"),
    ("targets.example", "https://eviltargets.example/"),
    ("targets.example", "https://evil/targets.example"),
    ("targets.example", "https://targets.example@evil/"),
    ("*.lab.example", "https://lab.example/"), ("*.lab.example", "https://evillab.example/"),
    ("targets.example:8443", "https://targets.example/"),
    ("http://cog.example:5000", "http://cog.example/"),
    // Their addresses are not public, and no port is named.
    ("http://127.0.0.1", "http://127.0.0.1/"), ("10.0.0.7", "https://10.0.0.7/"),
    ("169.254.169.254", "https://169.254.169.254/"), ("[::1]", "https://[::1]/"),
    ("[::ffff:10.0.0.1]", "https://[::ffff:10.0.0.1]/"),
  ]) func `any other may not`(list: String, url: String) throws {
    #expect(try !isListed(url, in: list))
  }

  @Test(arguments: [
    "*", "*.", "ftp://host", "host/path", "host:", "host:0", "host:65536", "host:x", "a b",
    "user@host", "host?x", "host#x", "fd00::1", "é.example", "a*b", "http://", "%41.example",
  ]) func `an entry that is no host is an error that names it`(text: String) throws {
    let error = try #require(throws: BucketError.self) { try UploadHosts("ok,\(text)") }
    #expect(error.reason.contains(text.debugDescription))
  }

  @Test func `hosts of other machines without TLS are warned of`() throws {
    let hosts = try UploadHosts(
      "a.example, http://cog.example:5000, http://*.lab.example, http://127.0.0.1:5000, "
        + "http://localhost, https://b.example")
    let names = hosts.warnings.compactMap { $0.split(separator: " ").dropFirst(2).first }
    #expect(names == ["http://cog.example:", "http://*.lab.example:"])
  }

  @Test func `a refusal says what is to be done`() throws {
    func reason(_ url: String, _ list: String) throws -> String {
      let url = try HTTPURL(url)
      return try #require(throws: BucketError.self) { try UploadHosts(list).check(url) }.reason
    }
    #expect(try reason("https://a/?s3cret", "").contains("STORAGE_UPLOAD_HOSTS of this service is"))
    #expect(try reason("https://a/?s3cret", "b").contains("be listed in STORAGE_UPLOAD_HOSTS"))
    #expect(try reason("http://a/?s3cret", "a").contains("has a for https only"))
    #expect(try reason("https://127.0.0.1/", "127.0.0.1").contains("with its port"))
  }
}
