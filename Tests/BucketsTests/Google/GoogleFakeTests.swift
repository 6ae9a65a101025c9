import CurlClient
import Foundation
import TestSupport
import Testing

/// That the fake refuses what Google refuses, without which tests against it prove nothing.
@Suite struct GoogleFakeTests {
  private let client: HTTPClient

  init() throws { client = try HTTPClient(HTTPClientConfiguration(userAgent: "test/1")) }

  private func send(
    _ method: String, _ url: String, _ fields: [String: String] = [:], _ body: [UInt8]? = nil
  ) async throws -> HTTPResponse {
    try await client.send(
      HTTPRequest(
        method, HTTPURL(url), fields: fields.map { HTTPField($0.key, $0.value) },
        body: body.map { HTTPBytes($0) }), bodyLimit: 1 << 24)
  }

  private func related(
    _ json: String, _ bytes: [UInt8], boundary: String = "xyz", said: String = "xyz"
  ) -> ([String: String], [UInt8]) {
    let head =
      "--\(boundary)\r\nContent-Type: application/json\r\n\r\n\(json)\r\n--\(boundary)\r\n"
      + "Content-Type: image/png\r\n\r\n"
    return (
      ["Content-Type": "multipart/related; boundary=\(said)"],
      Array(head.utf8) + bytes + Array("\r\n--\(boundary)--\r\n".utf8)
    )
  }

  @Test func `an upload in one request is stored with its description`() async throws {
    let fake = try await GoogleFake()
    let bytes = Array("a--xyz is no end\r\n".utf8)
    let (fields, body) = related(
      #"{"name":"a/ä.png","crc32c":"\#(CRC32C(bytes).base64)"}"#, bytes)
    let url = "\(fake.url)/upload/storage/v1/b/test-bucket/o?uploadType=multipart"

    let response = try await send("POST", url, fields, body)

    #expect(response.status == 200)
    let object = try #require(fake["a/ä.png"])
    #expect(object.bytes == bytes && object.contentType == "image/png" && !object.isPublic)
    let read = try await send(
      "GET", "\(fake.url)/storage/v1/b/test-bucket/o/a%2F%C3%A4.png?alt=media")
    #expect(read.status == 200 && read.body == bytes)
    #expect(read.head["x-goog-generation"] == "\(object.generation)")
  }

  @Test func `an upload that is not as Google wants it is refused`() async throws {
    let fake = try await GoogleFake()
    let url = "\(fake.url)/upload/storage/v1/b/test-bucket/o?uploadType=multipart"
    let wrong: [([String: String], [UInt8])] = [
      related(#"{"name":"a","crc32c":"AAAAAA=="}"#, [1]),
      related(#"{"name":""}"#, [1]),
      related("{", [1]),
      related(#"{"name":"a"}"#, [1], said: "other"),
      (["Content-Type": "application/json"], related(#"{"name":"a"}"#, [1]).1),
      (related(#"{"name":"a"}"#, [1]).0, related(#"{"name":"a"}"#, [1]).1.dropLast(6)),
    ]
    for (number, (fields, body)) in wrong.enumerated() {
      #expect(try await send("POST", url, fields, body).status == 400, "\(number)")
    }
    let (fields, body) = related(#"{"name":"a"}"#, [1])
    let media = url.replacing("multipart", with: "media") + "&name=a"
    #expect(try await send("POST", media, fields, body).status == 404)
    let other = url.replacing("test-bucket", with: "other")
    #expect(try await send("POST", other, fields, body).status == 404)
    #expect(fake.names.isEmpty)
  }

  @Test func `a public ACL is refused where the bucket has none`() async throws {
    let fake = try await GoogleFake()
    let url =
      "\(fake.url)/upload/storage/v1/b/test-bucket/o?uploadType=multipart&predefinedAcl=publicRead"
    let (fields, body) = related(#"{"name":"a"}"#, [1])
    for (acl, status) in [
      (GoogleFake.PublicACL.uniformAccess, 400), (.prevented, 412), (.denied, 403), (.applied, 200),
    ] {
      fake.publicACL = acl
      #expect(try await send("POST", url, fields, body).status == status)
    }
    #expect(fake["a"]?.isPublic == true)
    #expect(try await send("POST", url + "x", fields, body).status == 400)
  }

  @Test func `names must be encoded wholly`() async throws {
    let fake = try await GoogleFake()
    try fake.put([1], as: "a/b+c")
    let base = "\(fake.url)/storage/v1/b/test-bucket/o/"
    #expect(try await send("GET", base + "a%2Fb%2Bc?alt=media").status == 200)
    for name in ["a/b%2Bc", "a%2Fb+c"] {
      #expect(try await send("GET", base + name + "?alt=media").status == 404, "\(name)")
    }
  }

  @Test func `only its tokens open it`() async throws {
    let fake = try await GoogleFake(tokens: ["good"])
    try fake.put([1], as: "a")
    let url = "\(fake.url)/storage/v1/b/test-bucket/o/a"
    for (value, status) in [("Bearer good", 200), ("Bearer bad", 401), ("good", 401)] {
      #expect(try await send("GET", url, ["Authorization": value]).status == status)
    }
    #expect(try await send("GET", url).status == 401)
    fake.deny([.delete])
    #expect(try await send("DELETE", url, ["Authorization": "Bearer good"]).status == 403)
  }

  // MARK: Sessions

  private func begin(_ fake: GoogleFake, _ json: String = #"{"name":"big"}"#) async throws -> String
  {
    let response = try await send(
      "POST", "\(fake.url)/upload/storage/v1/b/test-bucket/o?uploadType=resumable",
      ["Content-Type": "application/json"], Array(json.utf8))
    return try #require(response.head["location"])
  }

  private func put(
    _ session: String, _ range: String, _ bytes: [UInt8] = []
  ) async throws -> HTTPResponse {
    try await send("PUT", session, ["Content-Range": "bytes \(range)"], bytes)
  }

  @Test func `a session keeps whole units and tells how far it is`() async throws {
    let fake = try await GoogleFake()
    let unit = 256 << 10
    let bytes = GoogleRig.bytes(unit + 5)
    let session = try await begin(fake)

    var response = try await put(session, "*/\(bytes.count)")
    #expect(response.status == 308 && response.head["range"] == nil)
    // What is beyond a unit is not kept.
    response = try await put(session, "0-\(unit + 1)/\(bytes.count)", Array(bytes[..<(unit + 2)]))
    #expect(response.status == 308 && response.head["range"] == "bytes=0-\(unit - 1)")
    response = try await put(
      session, "\(unit + 2)-\(unit + 4)/\(bytes.count)", Array(bytes[(unit + 2)...]))
    #expect(response.status == 503)
    #expect(
      String(decoding: response.body, as: UTF8.self).contains("exceeds already uploaded size"))
    response = try await put(session, "\(unit)-\(unit + 4)/\(bytes.count)", Array(bytes[unit...]))
    #expect(response.status == 200)
    #expect(fake["big"]?.bytes == bytes)
    // Who did not hear it may ask again.
    #expect(try await put(session, "*/\(bytes.count)").status == 200)
  }

  @Test func `a chunk that is not what it says is refused`() async throws {
    let fake = try await GoogleFake()
    let session = try await begin(fake)
    for (range, bytes, status) in [
      ("0-4/10", [UInt8](repeating: 0, count: 4), 400), ("4-0/10", [1], 400),
      ("0-10/10", [UInt8](repeating: 0, count: 11), 400), ("5-9/10", [1, 2, 3, 4, 5], 503),
    ] {
      #expect(try await put(session, range, bytes).status == status, "\(range)")
    }
    #expect(fake.names.isEmpty)
  }

  @Test func `a session that was given up is gone`() async throws {
    let fake = try await GoogleFake()
    let session = try await begin(fake)
    #expect(try await send("DELETE", session).status == 499)
    #expect(try await send("DELETE", session).status == 404)
    #expect(try await put(session, "0-0/1", [1]).status == 404)
    #expect(fake.openSessions == 0)
  }

  @Test func `a session compares the sum of all at its end`() async throws {
    let fake = try await GoogleFake()
    let session = try await begin(fake, #"{"name":"big","crc32c":"AAAAAA=="}"#)
    #expect(try await put(session, "0-0/1", [1]).status == 400)
    #expect(fake.names.isEmpty)
  }

  // MARK: Reads

  @Test(
    arguments: [
      ("bytes=0-3", 206, "0123", "bytes 0-3/10"), ("bytes=8-20", 206, "89", "bytes 8-9/10"),
      ("bytes=7-", 206, "789", "bytes 7-9/10"), ("bytes=-2", 206, "89", "bytes 8-9/10"),
      ("bytes=10-", 416, nil, "bytes */10"), ("bytes=3-1", 200, "0123456789", nil),
      ("lines=1-2", 200, "0123456789", nil),
    ] as [(String, Int, String?, String?)])
  func `a range is answered as HTTP wants it`(
    range: String, status: Int, text: String?, contentRange: String?
  ) async throws {
    let fake = try await GoogleFake()
    try fake.put(Array("0123456789".utf8), as: "a")
    let response = try await send(
      "GET", "\(fake.url)/storage/v1/b/test-bucket/o/a?alt=media", ["Range": range])
    #expect(response.status == status && response.head["content-range"] == contentRange)
    if let text { #expect(String(decoding: response.body, as: UTF8.self) == text) }
  }

  @Test func `what is stored compressed is unpacked for who does not say that it can`()
    async throws
  {
    let fake = try await GoogleFake()
    try fake.put(Array("plain text".utf8), as: "a", compressed: [31, 139, 8])
    let url = "\(fake.url)/storage/v1/b/test-bucket/o/a?alt=media"

    let plain = try await send("GET", url, ["Range": "bytes=0-1"])
    #expect(plain.status == 200 && plain.body == Array("plain text".utf8))
    #expect(plain.head["content-encoding"] == nil)
    #expect(plain.head["x-goog-stored-content-encoding"] == "gzip")
    let stored = try await send("GET", url, ["Range": "bytes=0-1", "Accept-Encoding": "gzip"])
    #expect(stored.status == 206 && stored.body == [31, 139])
    #expect(stored.head["content-encoding"] == "gzip")
  }

  @Test func `another generation is another object`() async throws {
    let fake = try await GoogleFake()
    try fake.put([1], as: "a")
    let first = try #require(fake["a"]?.generation)
    try fake.put([2], as: "a")
    let url = "\(fake.url)/storage/v1/b/test-bucket/o/a?alt=media&generation="
    #expect(try await send("GET", url + "\(first)").status == 404)
    #expect(try await send("GET", url + "\(first + 1)").body == [2])
  }

  // MARK: Faults

  @Test func `it fails as it is told to`() async throws {
    let fake = try await GoogleFake()
    try fake.put(GoogleRig.bytes(100_000), as: "a")
    let url = "\(fake.url)/storage/v1/b/test-bucket/o/a?alt=media"
    fake.script(.media, .busy(503, retryAfter: "7"), nil, .damageResponse(at: 70_000))
    let busy = try await send("GET", url)
    #expect(busy.status == 503 && busy.head["retry-after"] == "7")
    let good = try await send("GET", url)
    let damaged = try await send("GET", url)
    #expect(good.body == GoogleRig.bytes(100_000))
    #expect(zip(good.body, damaged.body).filter { $0 != $1 }.count == 1)

    for fault in [GoogleFault.cutResponse(after: 10), .resetResponse(after: 10), .loseAnswer] {
      fake.script(.media, fault)
      let error = try await #require(throws: HTTPError.self) { try await send("GET", url) }
      #expect(error.code == .connectionLost)
    }
  }

  @Test func `an upload that is reset leaves whole units in its session`() async throws {
    let fake = try await GoogleFake()
    let unit = 256 << 10
    let session = try await begin(fake)
    fake.script(.chunk, .resetUpload(after: 2 * unit + 9))
    await #expect(throws: HTTPError.self) {
      try await put(session, "0-\(3 * unit - 1)/\(3 * unit)", GoogleRig.bytes(3 * unit))
    }
    let state = try await put(session, "*/\(3 * unit)")
    #expect(state.status == 308 && state.head["range"] == "bytes=0-\(2 * unit - 1)")
  }
}
