import TestSupport
import Testing

@Suite(.s3Servers) struct S3ServerTests {
  @Test(arguments: S3Program.allCases)
  func `an object is stored, read and removed`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let path = "\(server.bucket)/removed/object"
    #expect(try await server.curl("PUT", path, body: "text").status == 200)
    let answer = try await server.curl("GET", path)
    #expect(answer.status == 200)
    #expect(answer.body == "text")
    #expect(try await server.curl("DELETE", path).status == 204)
    #expect(try await server.curl("GET", path).status == 404)
  }

  @Test(arguments: S3Program.allCases)
  func `a wrong secret is refused`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    for method in ["GET", "PUT"] {
      let answer = try await server.curl(method, "\(server.bucket)/x", secret: "another secret")
      #expect(answer.status == 403)
      #expect(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"))
    }
  }

  @Test(arguments: [(S3Program.seaweedFS, 403), (.rclone, 400)])
  func `a request without signature is refused`(program: S3Program, status: Int) async throws {
    let server = try await S3Server.shared(program)
    #expect(try await server.curl("GET", "\(server.bucket)/x", secret: "").status == status)
  }

  @Test(arguments: S3Program.allCases)
  func `damaged bytes are refused`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let path = "\(server.bucket)/support/damaged"
    // The sum of "hello".
    let field = "Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="
    let answer = try await server.curl("PUT", path, body: "jello", fields: [field])
    #expect(answer.status == 400)
    #expect(answer.body.contains("<Code>BadDigest</Code>"))
    #expect(try await server.curl("GET", path).status == 404)
    #expect(try await server.curl("PUT", path, body: "hello", fields: [field]).status == 200)
  }

  @Test(arguments: [(S3Program.seaweedFS, 206), (.rclone, 200)])
  func `the servers differ in the status of a range`(program: S3Program, status: Int) async throws {
    let server = try await S3Server.shared(program)
    let path = "\(server.bucket)/support/range"
    #expect(try await server.curl("PUT", path, body: "0123456789").status == 200)
    let answer = try await server.curl("GET", path, fields: ["Range: bytes=2-4"])
    #expect(answer.status == status)
    #expect(answer.body == "234")
  }

  @Test(arguments: S3Program.allCases)
  func `a server of one's own speaks HTTPS and has further buckets`(
    program: S3Program
  ) async throws {
    let server = try await S3Server.start(program, certificates: TestCertificates())
    try await server.makeBucket("another")
    #expect(server.endpoint.hasPrefix("https://"))
    #expect(try await server.curl("PUT", "another/x", body: "text").status == 200)
    #expect(try await server.curl("GET", "another/x").body == "text")
    #expect(try await server.curl("GET", "\(server.bucket)/x").status == 404)
    try await server.stop()
  }

  @Test func `the shared server is one`() async throws {
    async let first = S3Server.shared(.rclone)
    async let second = S3Server.shared(.rclone)
    #expect(try await first === second)
  }
}
