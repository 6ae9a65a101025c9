import Foundation
import TestSupport
import Testing

/// What `kiosk doctor` says of buckets that are not folders.
@Suite struct DoctorBucketTests {
  private func doctor(
    _ settings: [String: String], expecting exit: ChildProcess.Exit
  ) async throws -> String {
    let harness = try KioskHarness()
    let status = try await harness.kiosk("doctor", environment: settings)
    #expect(status.exit == exit, "\(status.output)")
    return status.output
  }

  // MARK: S3

  @Test(.redisServer, .s3Servers, arguments: S3Program.allCases)
  func `a bucket that works has a line for each right`(program: S3Program) async throws {
    let server = try await S3Server.shared(program)
    let output = try await doctor(
      server.settings().merging(["STORAGE_OUTPUT_URL": "presigned"]) { $1 }, expecting: .code(0))
    #expect(output.contains(/ok +bucket +answers/))
    #expect(output.contains(/ok +uploads +write, read and delete work/))
    #expect(output.contains(/ok +output +write, read and delete work/))
    #expect(output.contains(/ok +result URL +opens without a credential/))
    #expect(output.contains(/ok +store +.*endpoint http:.*region us-east-1.*credential .*AKID/))
    #expect(output.contains(/ok +store clock +[0-9] s apart/))
    #expect(!output.contains(server.secretAccessKey))
  }

  @Test(.redisServer, .s3Servers) func `results that clients cannot open are a warning`()
    async throws
  {
    let server = try await S3Server.shared(.seaweedFS)
    let output = try await doctor(server.settings(), expecting: .code(0))
    #expect(
      output.contains(/warn +result URL +answers 403 to .*STORAGE_OUTPUT_URL=presigned/),
      "\(output)")
  }

  @Test(.redisServer, .s3Servers) func `the right to list the bucket is not needed`() async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let output = try await doctor(
      server.settings().merging(["AWS_ACCESS_KEY_ID": S3Server.objectsAccessKeyID]) { $1 },
      expecting: .code(0))
    #expect(!output.contains("fail"), "\(output)")
  }

  @Test(.redisServer, .s3Servers) func `a wrong secret, region or bucket is a failure with a hint`()
    async throws
  {
    let server = try await S3Server.shared(.seaweedFS)
    func output(_ changes: [String: String]) async throws -> String {
      try await doctor(server.settings().merging(changes) { $1 }, expecting: .code(1))
    }
    let secret = try await output(["AWS_SECRET_ACCESS_KEY": TestSecret.make()])
    #expect(secret.contains(/fail +bucket +check: .*SignatureDoesNotMatch.*; check the cred/))
    let bucket = try await output(["STORAGE_BUCKET": "s3://no-such-bucket"])
    #expect(bucket.contains(/fail +bucket +check: .*no-such-bucket does not exist; check STORAGE/))
    let region = try await output(["AWS_REGION": "no region"])
    #expect(region.contains(/fail +bucket .*no region.*; correct the settings/))
  }

  @Test(
    .redisServer, .s3Servers,
    arguments: [
      ("PUT", "write", "PutObject"), ("GET", "read", "Get"), ("DELETE", "delete", "Delete"),
    ]
  )
  func `each right that lacks is named`(method: String, step: String, right: String) async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let proxy = try await FaultProxy(to: server.port)
    proxy.inject(.s3Error(403, "AccessDenied"), times: .max, method, "output/kiosk-doctor")
    let output = try await doctor(server.settings(through: proxy.endpoint), expecting: .code(1))
    #expect(output.contains(/ok +uploads/), "\(output)")
    let line = try #require(output.split(separator: "\n").first { $0.contains("fail") })
    #expect(line.contains(/fail +output/) && line.contains("\(step): "))
    #expect(line.contains(try Regex("grant the right to .*s3:\(right)")))
    #expect(line.contains("AccessDenied"))
  }

  @Test(.redisServer) func `a clock that is off is named with what it is off`() async throws {
    // What a store says to a request whose time is not its own.
    let server = try await TestWebServer { _ in
      .respond(
        403, fields: ["Date": Self.httpDate(secondsFromNow: 3000)],
        body: Array("<Error><Code>RequestTimeTooSkewed</Code></Error>".utf8))
    }
    let output = try await doctor(
      [
        "STORAGE_BUCKET": "s3://lab", "AWS_ENDPOINT_URL_S3": server.url(""),
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": TestSecret.make(),
      ], expecting: .code(1))
    #expect(output.contains(/fail +bucket +check: .*RequestTimeTooSkewed/), "\(output)")
    #expect(
      output.contains(/fail +store clock +this machine's clock is (2999|3000|300\d) s behind/))
  }

  @Test(.redisServer)
  func `a store that is not there is a failure within the patience of a person`()
    async throws
  {
    let port = try RefusingPort()
    let output = try await doctor(
      [
        "STORAGE_BUCKET": "s3://lab", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:\(port.number)",
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": TestSecret.make(),
      ], expecting: .code(1))
    #expect(output.contains(/fail +bucket +check: .*127\.0\.0\.1:.*; check the endpoint/))
  }

  private static func httpDate(secondsFromNow seconds: TimeInterval) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.string(from: Date(timeIntervalSinceNow: seconds))
  }

  // MARK: Google

  @Test(.redisServer) func `a bucket of Google's that works has a line for each right`()
    async throws
  {
    let store = try await GoogleFake()
    let output = try await doctor(
      ["STORAGE_BUCKET": "gs://\(store.bucket)", "STORAGE_EMULATOR_HOST": store.url],
      expecting: .code(0))
    #expect(output.contains(/ok +uploads +write, read and delete work/), "\(output)")
    #expect(output.contains(/ok +output +write, read and delete work/))
    #expect(store.names.isEmpty)
  }

  @Test(.redisServer) func `uniform access is a warning, a right that lacks a failure`()
    async throws
  {
    let store = try await GoogleFake()
    let settings = [
      "STORAGE_BUCKET": "gs://\(store.bucket)", "STORAGE_EMULATOR_HOST": store.url,
    ]
    store.publicACL = .uniformAccess
    let uniform = try await doctor(settings, expecting: .code(0))
    #expect(uniform.contains(/warn +.*(objectViewer|presigned)/), "\(uniform)")

    store.deny([.delete])
    let denied = try await doctor(settings, expecting: .code(1))
    #expect(denied.contains(/fail +uploads +delete: .*storage.objects.delete/), "\(denied)")
  }
}
