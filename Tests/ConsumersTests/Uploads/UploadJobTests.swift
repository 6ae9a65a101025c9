import Buckets
import Consumers
import Foundation
import JobQueue
import RedisClient
import Synchronization
import TestSupport
import Testing

/// Jobs whose results are sent to URLs.
@Suite struct UploadJobTests {
  /// Uploads what it downloads, and counts how often it was asked to.
  final class EchoConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let redis = try #require(RedisServer.connection)
      try await redis.command("INCR", "runs")
      let stored = try await upload(zip([saveFile([1, 2, 3], name: "a.bin")]))
      try await updateKey(
        job, [Field.outputFileName: stored.key, Field.outputURL: stored.url])
      return .done
    }
  }

  private func uploads(
    _ hosts: String, defaultURL: String? = nil
  ) throws -> ResultUploads {
    var settings = TransferSettings()
    settings.retryDeadline = .milliseconds(10)
    return ResultUploads(
      targets: UploadTargets(hosts: try UploadHosts(hosts), settings: settings),
      defaultURL: defaultURL)
  }

  private func runs(_ harness: ConsumerHarness) async throws -> Int {
    try await harness.redis.command("GET", "runs").string.flatMap { Int($0) } ?? 0
  }

  @Test(.redisServer) func `a result goes to the job's URL and not into the bucket`() async throws {
    let secret = TestSecret.make()
    let server = try await TestWebServer { _ in
      .respond(201, fields: ["Location": "/files/1?sig=\(secret)"])
    }
    let harness = try ConsumerHarness(uploads: uploads("http://127.0.0.1:\(server.port)"))
    let url = "http://user:\(secret)@127.0.0.1:\(server.port)/in/?token=\(secret)"
    let key = try await harness.submit(
      fields: ["upload_url": url, "output_file_name": "output/of an earlier run.zip"])
    try await harness.withService(EchoConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      #expect(fields["output_url"] == server.url("/files/1"))
      #expect(fields["output_file_name"] == "")
    }
    let request = try #require(server.requests.first)
    #expect(request.target.wholeMatch(of: /\/in\/[0-9a-f]{32}\.zip\?token=.+/) != nil)
    #expect(request.fields["x-prediction-id"] == key)
    #expect(request.fields["content-type"] == "application/zip")
    #expect(request.body.starts(with: Array("PK".utf8)))
    #expect(!FileManager.default.fileExists(atPath: harness.store.file("output")))
    #expect(try harness.leftovers.isEmpty)
    try TestSecret.check(harness.log.text, of: "the log")
  }

  @Test(
    .redisServer,
    arguments: [
      "https://elsewhere.example/?tell-nobody-1", "http://localhost:1/", "https://127.0.0.1/",
      "file:///etc/passwd", "/in", "https://t.example/a\r\nX: tell-nobody-1", "https://t.example/é",
      "https://t.example/" + String(repeating: "a", count: 9000),
    ]) func `a URL that may not be used ends the job before its work`(url: String) async throws
  {
    let harness = try ConsumerHarness(uploads: uploads("t.example, 127.0.0.1"))
    let key = try await harness.submit(fields: ["upload_url": url])
    try await harness.withService(EchoConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "invalid_input")
      #expect(fields["reason"]?.hasPrefix("InvalidInput: upload_url ") == true)
      #expect(fields["reason"]?.contains("tell-nobody") == false)
      #expect(fields["progress"] == nil)
    }
    #expect(try await runs(harness) == 0)
    try TestSecret.check(harness.log.text, of: "the log")
  }

  @Test(.redisServer) func `nothing is sent where no host is listed`() async throws {
    let server = try await TestWebServer()
    let harness = try ConsumerHarness()
    let key = try await harness.submit(fields: ["upload_url": server.url()])
    try await harness.withService(EchoConsumer.self) { _ in
      let reason = try await harness.end(of: key)["reason"] ?? ""
      #expect(reason.hasSuffix("STORAGE_UPLOAD_HOSTS of this service is not set"))
    }
    #expect(try await runs(harness) == 0 && server.requests.isEmpty)
  }

  @Test(.redisServer, arguments: [403, 503])
  func `a refusal that stays ends the job, one that may pass runs it again`(status: Int)
    async throws
  {
    let server = try await TestWebServer { _ in .respond(status) }
    let harness = try ConsumerHarness(uploads: uploads("http://127.0.0.1:\(server.port)"))
    let key = try await harness.submit(fields: ["upload_url": server.url("/tell-nobody-1/")])
    try await harness.withService(EchoConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "storage")
      #expect(fields["reason"]?.contains("HTTP \(status), from http://127.0.0.1") == true)
      #expect(fields["reason"]?.contains("tell-nobody") == false)
    }
    #expect(try await runs(harness) == (status == 403 ? 1 : 3))
    try TestSecret.check(harness.log.text, of: "the log")
  }

  @Test(.redisServer) func `only the result of an archive is sent, not those of its files`()
    async throws
  {
    let server = try await TestWebServer()
    let bench = try ZipBench(uploads: uploads("http://127.0.0.1:\(server.port)"))
    let key = try await bench.submit(
      [ZipBytes.Member("a.tif"), ZipBytes.Member("b.tif")], fields: ["upload_url": server.url()])
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      #expect(fields["output_url"]?.hasPrefix(server.url()) == true)
      #expect(fields["output_file_name"] == "" && fields["total_jobs"] == "2")
    }
    #expect(server.requests.map { $0.fields["x-prediction-id"] } == [key])
  }

  @Test(.redisServer) func `a URL for all jobs is for those that nobody waits for`() async throws {
    let server = try await TestWebServer()
    let bench = try ZipBench(
      uploads: uploads("http://127.0.0.1:\(server.port)", defaultURL: server.url("/all")))
    let key = try await bench.submit([ZipBytes.Member("a.tif"), ZipBytes.Member("b.tif")])
    try await bench.withServices {
      let fields = try await bench.harness.end(of: key)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    }
    #expect(server.requests.map { $0.fields["x-prediction-id"] } == [key])
    #expect(server.requests.allSatisfy { $0.target.hasPrefix("/all/") })
  }
}
