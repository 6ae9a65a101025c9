import Testing

@testable import Buckets

@Suite struct ObjectURLsTests {
  private static let s3 = ObjectURLs.s3(
    bucket: "lab", endpoint: "http://Minio.lab:9000/store/",
    publicBaseURL: "https://files.lab.example:443/data")
  private static let google = ObjectURLs.google(
    bucket: "lab", emulator: "127.0.0.1:4443", publicBaseURL: nil)

  @Test(arguments: [
    "uploads/a b.tif", "/uploads/a b.tif",
    "s3://lab/uploads/a%20b.tif", "S3://LAB/uploads/a b.tif",
    "https://lab.s3.amazonaws.com/uploads/a%20b.tif",
    "https://lab.s3.amazonaws.com/uploads%2Fa%20b.tif",
    "http://LAB.S3.amazonaws.com:80/uploads/a%20b.tif",
    "https://lab.s3.eu-west-1.amazonaws.com/uploads/a%20b.tif?X-Amz-Signature=abc#x",
    "https://lab.s3-eu-west-1.amazonaws.com/uploads/a%20b.tif",
    "https://lab.s3.dualstack.eu-west-1.amazonaws.com/uploads/a%20b.tif",
    "https://lab.s3.cn-north-1.amazonaws.com.cn/uploads/a%20b.tif",
    "https://s3.amazonaws.com/lab/uploads/a%20b.tif",
    "https://s3.us-west-2.amazonaws.com:443/lab/uploads/a%20b.tif",
    "http://minio.lab:9000/store/lab/uploads/a%20b.tif",
    "http://lab.minio.lab:9000/store/uploads/a%20b.tif",
    "https://files.lab.example/data/uploads/a%20b.tif",
  ])
  func `an address of an S3 bucket's object means its key`(name: String) throws {
    #expect(try Self.s3.key(named: name).text == "uploads/a b.tif")
  }

  @Test(arguments: [
    "uploads/a+b.tif", "gs://lab/uploads/a+b.tif",
    "https://storage.googleapis.com/lab/uploads/a%2Bb.tif?x=1",
    "https://lab.storage.googleapis.com/uploads/a+b.tif",
    "http://127.0.0.1:4443/lab/uploads/a%2Bb.tif",
  ])
  func `an address of a Google bucket's object means its key`(name: String) throws {
    #expect(try Self.google.key(named: name).text == "uploads/a+b.tif")
  }

  @Test(arguments: ["uploads/a://b.tif", "9://b.tif", "é://b.tif", "a b://c.tif", "a:b://c.tif"])
  func `what only has the signs of an address in it is a key`(name: String) throws {
    #expect(try Self.s3.key(named: name).text == name)
  }

  @Test(arguments: [
    "https://elsewhere.example/lab/a.tif", "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd", "gs://lab/a.tif", "s3://other/a.tif", "s3://lab", "https://",
    "https://lab.s3.amazonaws.com", "https://lab.s3.amazonaws.com.evil.example/a.tif",
    "https://lab.s3.a.b.amazonaws.com/a.tif", "https://evil.lab.s3.amazonaws.com/a.tif",
    "https://labs3.amazonaws.com/a.tif", "https://lab.s3evil.amazonaws.com/a.tif",
    "https://user@lab.s3.amazonaws.com/a.tif", "https://s3.amazonaws.com/labs/a.tif",
    "https://s3.amazonaws.com@evil.example/lab/a.tif",
    "https://lab.s3.amazonaws.com:8443/a.tif", "https://minio.lab:9001/store/lab/a.tif",
    "http://minio.lab:9000/lab/a.tif", "https://files.lab.example/other/a.tif",
    "https://lab.s3.amazonaws.com/%2e%2e/%2e%2e/etc/passwd",
    "https://lab.s3.amazonaws.com/%ff.tif", "https://lab.s3.amazonaws.com/%0a",
    "ftp://lab.s3.amazonaws.com/a.tif", "GOPHER://lab/a.tif", "az://lab/a.tif", "dict+x://a/b",
    "https://lab.s3.amazonaws.com/", "https://elsewhere.example/?X-Amz-Signature=secret",
  ])
  func `any other address is refused`(name: String) {
    let error = #expect(throws: BucketError.self) { try Self.s3.key(named: name) }
    #expect(error?.code == .invalidRequest)
    #expect(error?.key?.contains("secret") != true)
    #expect(error?.description.contains("secret") == false)
  }
}
