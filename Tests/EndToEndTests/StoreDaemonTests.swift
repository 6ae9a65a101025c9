import Foundation
import ImageFiles
import JobQueue
import TestSupport
import Testing

/// The daemon with a bucket that is not a folder.
@Suite struct StoreDaemonTests {
  private static let image = "nuclear_256.tif"

  private func submit(
    _ name: String, named original: String = image, _ harness: DaemonHarness
  ) async throws -> String {
    try await JobSubmission(
      queue: DaemonHarness.queue, originalName: original, inputFileName: name
    ).submit(to: harness.redis, submitter: "test")
  }

  private func bytes(of image: String = image) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: "\(DaemonHarness.inputs)/\(image)")))
  }

  /// Puts the image into a bucket under a key of this test's.
  private func putImage(_ server: S3Server) async throws -> String {
    let key = "uploads/\(UUID().uuidString)/nuclear 256+é.tif"
    _ = try await curl(
      server.curlSignature() + ["--upload-file", "\(DaemonHarness.inputs)/\(Self.image)"],
      "\(server.endpoint)/\(path(key, server))")
    return key
  }

  /// - Returns: the answer's head.
  private func curl(_ options: [String] = [], _ url: String) async throws -> String {
    try await runTool(
      "curl",
      ["--silent", "--show-error", "--fail", "--noproxy", "*", "--output", "/dev/null"]
        + ["--dump-header", "-"] + options + [url]
    ).lowercased()
  }

  private func path(_ key: String, _ server: S3Server) -> String {
    var kept = CharacterSet.alphanumerics
    kept.insert(charactersIn: "-._~/")
    return server.bucket + "/" + (key.addingPercentEncoding(withAllowedCharacters: kept) ?? key)
  }

  /// Nothing that is a secret is in what programs say, nor in Redis.
  private func expectSilence(
    of secret: String, _ harness: DaemonHarness, _ daemon: ChildProcess
  ) async throws {
    #expect(!(await daemon.status.output.contains(secret)))
    let keys: [String] = try await harness.redis.command("KEYS", "*").decode()
    for key in keys
    where try await isHash(key, harness) {
      #expect(!"\(try await harness.fields(key))".contains(secret))
    }
  }

  private func isHash(_ key: String, _ harness: DaemonHarness) async throws -> Bool {
    let type: String = try await harness.redis.command("TYPE", key).decode()
    return type == "hash"
  }

  // MARK: S3

  @Test(.redisServer, .s3Servers, arguments: S3Program.allCases, [false, true])
  func `a job's input comes from an S3 bucket and its result goes there`(
    program: S3Program, isURL: Bool
  ) async throws {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(program)
    let key = try await putImage(server)
    let daemon = try await harness.startDaemon(
      server.settings().merging(["LOG_LEVEL": "TRACE"]) { $1 })
    let name = isURL ? "\(server.endpoint)/\(path(key, server))" : key
    let job = try await submit(name, harness)
    let fields = try await harness.end(of: job)
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let result = try #require(fields["output_file_name"])
    #expect(fields["output_url"] == "\(server.endpoint)/\(path(result, server))")
    let head = try await curl(server.curlSignature(), fields["output_url"] ?? "")
    #expect(head.contains("content-type: application/zip"))

    #expect(try await daemon.stop() == .code(0))
    let output = await daemon.status.standardOutput
    let started = try #require(output.split(separator: "\n").first { $0.contains("\"started\"") })
    #expect(started.contains("\"bucket_endpoint\":\"\(server.endpoint)/\(server.bucket)\""))
    try await expectSilence(of: server.secretAccessKey, harness, daemon)
    #expect(try FileManager.default.contentsOfDirectory(atPath: harness.work.path).isEmpty)
  }

  @Test(.redisServer, .s3Servers) func `a presigned result opens without a credential`()
    async throws
  {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(.seaweedFS)
    let key = try await putImage(server)
    let daemon = try await harness.startDaemon(
      server.settings().merging(["STORAGE_OUTPUT_URL": "presigned"]) { $1 })
    let fields = try await harness.end(of: try await submit(key, harness))
    let url = try #require(fields["output_url"])
    #expect(try await curl([], url).contains("content-type: application/zip"))
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer, .s3Servers) func `a URL of another bucket is not opened`() async throws {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(.seaweedFS)
    let other = try await TestWebServer()
    let daemon = try await harness.startDaemon(server.settings())
    let fields = try await harness.end(
      of: try await submit(other.url("/kiosk-tests/a.tif"), harness))
    #expect(fields["status"] == "failed" && fields["error_code"] == "invalid_input")
    #expect(other.requests.isEmpty)
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer, .s3Servers, arguments: ["secret", "bucket", "region"])
  func `what other settings must change ends the start`(wrong: String) async throws {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(.seaweedFS)
    let changes =
      switch wrong {
      case "secret": ["AWS_SECRET_ACCESS_KEY": TestSecret.make()]
      case "bucket": ["STORAGE_BUCKET": "s3://no-such-bucket"]
      default: ["AWS_REGION": "no region"]
      }
    let daemon = try await harness.startDaemon(server.settings().merging(changes) { $1 })
    // The store is not asked about the region.
    #expect(try await daemon.waitForExit() == .code(wrong == "region" ? 78 : 1))
    let output = await daemon.status.output
    #expect(
      output.contains(
        ["secret": "SignatureDoesNotMatch", "bucket": "no-such-bucket", "region": "no region"][
          wrong] ?? ""), "\(output)")
  }

  @Test(arguments: [["AWS_REGION": "no region"], ["STORAGE_CA_BUNDLE": "/no/such/file.pem"]])
  func `settings are checked without a store`(wrong: [String: String]) async throws {
    let settings = [
      "STORAGE_BUCKET": "s3://lab", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID",
      "AWS_SECRET_ACCESS_KEY": TestSecret.make(), "QUEUE": "predict", "HOSTNAME": "pod",
    ].merging(wrong) { $1 }
    let program = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"), ["--check-config"], environment: settings)
    #expect(try await program.waitForExit() == .code(78))
    let output = await program.status.output
    #expect(output.contains(wrong.keys.first ?? "") && output.contains(wrong.values.first ?? ""))
  }

  @Test(.redisServer, .s3Servers) func `a store that is away is waited for`() async throws {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(.seaweedFS)
    let key = try await putImage(server)
    let proxy = try await FaultProxy(to: server.port)
    proxy.inject(.slowDown(retryAfter: 1), times: .max)
    let daemon = try await harness.startDaemon(
      server.settings(through: proxy.endpoint).merging(["STORAGE_MAX_BACKOFF": "1"]) { $1 })
    let job = try await submit(key, harness)
    try await harness.waitForStatus("started", of: job)
    try await eventually("the input was asked for twice") {
      proxy.requests.count { $0.target.contains("uploads/") } > 1
    }
    proxy.heal()
    let fields = try await harness.end(of: job)
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    #expect(try await daemon.stop() == .code(0))
    #expect(await daemon.status.standardOutput.contains("bucket_unreachable"))
  }

  @Test(.redisServer, .s3Servers) func `a process killed in an upload leaves no partial result`()
    async throws
  {
    let harness = try DaemonHarness()
    let server = try await S3Server.shared(.seaweedFS)
    let key = try await putImage(server)
    let proxy = try await FaultProxy(to: server.port)
    proxy.inject(.stall(.request, after: 500), "PUT", "output/")
    let settings = server.settings(through: proxy.endpoint)
    let first = try await harness.startDaemon(settings)
    let job = try await submit(key, harness)
    try await eventually("the upload has begun", within: .seconds(60)) { proxy.faultCount == 1 }
    let put = try #require(proxy.requests.last { $0.method == "PUT" })
    await first.send(SIGKILL)
    _ = try await first.waitForExit()
    let target = String(put.target.dropFirst())
    #expect(try await server.curl("GET", target).status == 404)

    let second = try await harness.startDaemon(settings)
    let fields = try await harness.end(of: job)
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    #expect(try await second.stop() == .code(0))
    #expect(try FileManager.default.contentsOfDirectory(atPath: harness.work.path).isEmpty)
  }

  // MARK: Google

  @Test(.redisServer) func `a job's input comes from Google's store and its result goes there`()
    async throws
  {
    let harness = try DaemonHarness()
    let store = try await GoogleFake()
    try store.put(try bytes(), as: "uploads/nuclear 256.tif")
    let daemon = try await harness.startDaemon([
      "STORAGE_BUCKET": "gs://\(store.bucket)", "STORAGE_EMULATOR_HOST": store.url,
    ])
    let fields = try await harness.end(of: try await submit("uploads/nuclear 256.tif", harness))
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let result = try #require(fields["output_file_name"])
    let object = try #require(store[result])
    #expect(object.isPublic && object.contentType == "application/zip")
    #expect(object.bytes.starts(with: Array("PK".utf8)))
    #expect(fields["output_url"]?.hasSuffix(result) == true)
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer) func `what is unpacked from an archive is private, and removed at its end`()
    async throws
  {
    let harness = try DaemonHarness()
    let store = try await GoogleFake()
    let archive = harness.work.file("plate.zip")
    try ZipWriter.write(
      try ["a.tif", "b.tif"].map { ZipEntry(name: $0, content: .bytes(try bytes())) },
      to: archive, name: "plate.zip")
    try store.put(Array(try Data(contentsOf: URL(filePath: archive))), as: "uploads/plate.zip")
    let settings = [
      "STORAGE_BUCKET": "gs://\(store.bucket)", "STORAGE_EMULATOR_HOST": store.url,
    ]
    var daemons: [ChildProcess] = []
    for type in ["zip", "image"] {
      daemons.append(
        try await harness.startDaemon(
          settings.merging(["CONSUMER_TYPE": type, "HOSTNAME": "pod-\(type)"]) { $1 }))
    }
    let fields = try await harness.end(
      of: try await submit("uploads/plate.zip", named: "plate.zip", harness))
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    let result = try #require(fields["output_file_name"])
    #expect(store[result]?.isPublic == true)
    for daemon in daemons { #expect(try await daemon.stop() == .code(0)) }

    // Two members, their results and the result of all; results have names without folders.
    let uploads = store.requests(.related)
    #expect(uploads.count == 5)
    #expect(uploads.count { $0.query["predefinedAcl"] != nil } == 3)
    #expect(store.names.contains(result) && store.names.count == 4)
    #expect(store.names.allSatisfy { $0.split(separator: "/").count == 2 }, "\(store.names)")
  }

  @Test(.redisServer) func `a bucket of Google's with uniform access gets its results`()
    async throws
  {
    let harness = try DaemonHarness()
    let store = try await GoogleFake()
    store.publicACL = .uniformAccess
    try store.put(try bytes(), as: "uploads/a.tif")
    let daemon = try await harness.startDaemon([
      "STORAGE_BUCKET": "gs://\(store.bucket)", "STORAGE_EMULATOR_HOST": store.url,
    ])
    let fields = try await harness.end(of: try await submit("uploads/a.tif", harness))
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    #expect(store[fields["output_file_name"] ?? ""]?.isPublic == false)
    #expect(try await daemon.stop() == .code(0))
  }
}
