import CurlClient
import TestSupport
import Testing

@testable import Buckets

@Suite struct SignatureV4Tests {
  private static func credential(
    secret: String = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session: String? = nil
  ) throws -> AWSCredential {
    try AWSCredential(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret(secret),
      sessionToken: session.map(Secret.init))
  }

  /// 2026-01-02T03:04:05Z.
  static let time = SigningTime(1_767_323_045)

  private func signature(session: Bool = false) throws -> SignatureV4 {
    SignatureV4(
      credential: try Self.credential(session: session ? "SESSION/token+==" : nil),
      region: "eu-west-1", time: Self.time, keys: SigningKeys())
  }

  private func authorization(_ fields: [HTTPField]) throws -> String {
    try #require(fields.first { $0.name == "Authorization" }?.value)
  }

  @Test func `the moment is written as AWS does`() {
    #expect(Self.time.text == "20260102T030405Z")
    #expect(SigningTime(951_827_696).text == "20000229T123456Z")
  }

  @Test func `a download of a range of an odd key is signed`() throws {
    let key = try ObjectKey("uploads/sp ace+plus=é/(1).tif")
    let path = "/b1/" + PercentEncoding.encodePath(key.text)
    #expect(path == "/b1/uploads/sp%20ace%2Bplus%3D%C3%A9/%281%29.tif")
    let fields = try signature().sign(
      "GET", host: "bucket.example.test:9000", path: path, query: CanonicalQuery(),
      fields: [HTTPField("Range", "bytes=0-99")], payload: SignatureV4.unsignedPayload)
    #expect(
      try authorization(fields)
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/s3/aws4_request, "
        + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        + "Signature=37bcd3d27bdeae07209148ad00af6619b2a1f76de295a8fbe5041aa986063414")
    let request = CanonicalRequest(
      method: "GET", path: path, query: CanonicalQuery(),
      fields: [HTTPField("host", "bucket.example.test:9000")]
        + fields.filter { $0.name != "Authorization" },
      payload: SignatureV4.unsignedPayload)
    #expect(
      Hashes.sha256Hexadecimal(request.text)
        == "6082b8924ad58e03e56b871d9bf683b01c1f9a00bbe5d0524d85cb447c9da825")
  }

  @Test func `a parameter without a value is signed`() throws {
    let fields = try signature().sign(
      "POST", host: "127.0.0.1:9000", path: "/b1/output/a.zip",
      query: CanonicalQuery([("uploads", "")]),
      fields: [HTTPField("Content-Type", "application/zip")],
      payload: SignatureV4.unsignedPayload)
    #expect(
      try authorization(fields).hasSuffix(
        "Signature=0902d67e73848caea83b4e8179dbc3d68c52bc4c8745580d47fd63f762b3146b"))
  }

  @Test func `an upload with hash, metadata and session is signed`() throws {
    let fields = try signature(session: true).sign(
      "PUT", host: "b1.s3.eu-west-1.amazonaws.com", path: "/output/a.zip",
      query: CanonicalQuery(),
      fields: [
        HTTPField("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="),
        HTTPField("x-amz-meta-job-id", "7"),
        HTTPField("x-amz-meta-job", "  two   words "),
        HTTPField("Expect", ""), HTTPField("User-Agent", "x"),
      ], payload: Hashes.sha256Hexadecimal("hello"))
    #expect(
      try authorization(fields).hasSuffix(
        "Signature=04b9bc8460d92847438cd1d2f8ccb4c2d856942a3a6bcfe4480234bb4c5e7acb"))
  }

  @Test func `a URL is signed`() throws {
    let query = try signature(session: true).presignedQuery(
      host: "s3.eu-west-1.amazonaws.com", path: "/b1/output/a%20b.zip", lifetime: 3600)
    #expect(
      query.hasSuffix(
        "&X-Amz-Signature=293886ac4bddf7467c59cc49d792b6cd10a71bb528b6d0eab9fa1b961cfc2e1a"))
    #expect(query.contains("X-Amz-Security-Token=SESSION%2Ftoken%2B%3D%3D"))
  }

  @Test(arguments: UInt8.min...UInt8.max)
  func `a byte is encoded unless it is unreserved`(byte: UInt8) throws {
    let text = String(UnicodeScalar(byte))
    let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    let encoded = PercentEncoding.encode(text)
    if unreserved.contains(text) {
      #expect(encoded == text)
    } else {
      let digits = text.utf8.map { ($0 < 16 ? "%0" : "%") + String($0, radix: 16).uppercased() }
      #expect(encoded == digits.joined())
    }
    #expect(PercentEncoding.encodePath(text) == (text == "/" ? "/" : encoded))
    #expect(PercentEncoding.decode(encoded[...]) == text)
  }

  @Test(arguments: 0..<100)
  func `any text survives being encoded`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let scalars = (0..<Int.random(in: 0...60, using: &generator)).compactMap { _ in
      UnicodeScalar(UInt32.random(in: 0...0x2FFFF, using: &generator))
    }
    let text = String(String.UnicodeScalarView(scalars))
    #expect(PercentEncoding.decode(PercentEncoding.encode(text)[...]) == text)
    #expect(PercentEncoding.decode(PercentEncoding.encodePath(text)[...]) == text)
  }

  @Test func `a query is sorted by encoded name, then value`() {
    let query = CanonicalQuery([
      ("b", "2"), ("uploadId", "a/b=+"), ("b", "1"), ("B", ""), ("a-b", "é"), ("a", "z"),
    ])
    #expect(query.text == "B=&a=z&a-b=%C3%A9&b=1&b=2&uploadId=a%2Fb%3D%2B")
  }

  @Test func `keys are remembered, but not for another day, region or credential`() throws {
    let keys = SigningKeys()
    let credential = try Self.credential()
    let other = try Self.credential(secret: "other")
    let first = keys.key(for: credential, date: "20260102", region: "eu-west-1")
    var all: Set = [first]
    all.insert(keys.key(for: credential, date: "20260103", region: "eu-west-1"))
    all.insert(keys.key(for: credential, date: "20260102", region: "eu-west-2"))
    all.insert(keys.key(for: other, date: "20260102", region: "eu-west-1"))
    #expect(all.count == 4)
    for day in 0..<20 { _ = keys.key(for: other, date: "\(day)", region: "eu-west-1") }
    #expect(keys.key(for: credential, date: "20260102", region: "eu-west-1") == first)
  }
}
