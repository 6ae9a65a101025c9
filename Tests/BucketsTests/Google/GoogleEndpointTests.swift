import TestSupport
import Testing

@testable import Buckets

@Suite struct GoogleEndpointTests {
  private func endpoint(_ emulator: String? = nil) throws -> GoogleEndpoint {
    try GoogleEndpoint(bucket: "lab", emulator: emulator)
  }

  @Test func `names of objects are encoded wholly`() throws {
    let key = try ObjectKey("uploads/a b/é+%41?#.tif")
    #expect(
      try endpoint().object(key, [("alt", "media")]).text
        == "https://storage.googleapis.com/storage/v1/b/lab/o/"
        + "uploads%2Fa%20b%2F%C3%A9%2B%2541%3F%23.tif?alt=media")
  }

  @Test(arguments: [
    ("127.0.0.1:4443", "http://127.0.0.1:4443"), ("http://gcs.lab/", "http://gcs.lab"),
    ("https://gcs.lab:1/prefix//", "https://gcs.lab:1/prefix"), ("[::1]:80", "http://[::1]:80"),
  ])
  func `an emulator may be named in several ways`(text: String, base: String) throws {
    let endpoint = try endpoint(text)
    #expect(endpoint.base == base)
    #expect(try endpoint.upload([]).text == "\(base)/upload/storage/v1/b/lab/o")
    #expect(endpoint.isInsecure == (text == "http://gcs.lab/"))
  }

  @Test(arguments: [
    "", "http://", "ftp://gcs.lab", "http://me:secret@gcs.lab", "gcs.lab/?a=b", "a b",
  ])
  func `what cannot be an address is refused`(text: String) throws {
    let error = try #require(throws: BucketError.self) { try endpoint(text) }
    #expect(error.code == .invalidRequest)
    #expect(error.description.hasPrefix("STORAGE_EMULATOR_HOST: "))
    #expect(!error.description.contains("secret"))
  }

  @Test(arguments: [
    "http://gcs.lab:4443/upload?upload_id=a%2Fb", "/upload?upload_id=a%2Fb",
    "http://0.0.0.0:9/upload?upload_id=a%2Fb", "https://evil.example/upload?upload_id=a%2Fb",
    "//evil.example/upload?upload_id=a%2Fb",
  ])
  func `a session is where the store is, wherever it says`(location: String) throws {
    let session = try endpoint("gcs.lab:4443").session(location)
    #expect(session.text == "http://gcs.lab:4443/upload?upload_id=a%2Fb")
  }
}
