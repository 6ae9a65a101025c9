import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Results that the daemon sends to URLs of jobs.
@Suite struct UploadDaemonTests {
  private func submit(to url: String, _ harness: DaemonHarness) async throws -> String {
    // Puts the image into the bucket.
    let image = try await harness.submit()
    #expect(try await harness.end(of: image)["status"] == "done")
    return try await JobSubmission(
      queue: DaemonHarness.queue, originalName: "nuclear_256.tif",
      inputFileName: "uploads/nuclear_256.tif", fields: [Field.uploadURL: url]
    ).submit(to: harness.redis, submitter: "test")
  }

  @Test(.redisServer) func `a result goes to a listed host, and nobody hears of its secrets`()
    async throws
  {
    let harness = try DaemonHarness()
    let secret = TestSecret.make()
    let server = try await TestWebServer { request in
      request.target.hasPrefix("/refused")
        ? .respond(403, "not with \(request.target) of user:\(secret)")
        : .respond(201, fields: ["Location": "/files/1?sig=\(secret)"])
    }
    let daemon = try await harness.startDaemon([
      "STORAGE_UPLOAD_HOSTS": "http://127.0.0.1:\(server.port),http://cog.example",
      "LOG_LEVEL": "DEBUG",
    ])
    let key = try await submit(
      to: "http://user:\(secret)@127.0.0.1:\(server.port)/in/?token=\(secret)", harness)
    let fields = try await harness.end(of: key)
    #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
    #expect(fields["output_url"] == server.url("/files/1"))
    #expect(fields["output_file_name"] == "")

    let request = try #require(server.requests.first)
    #expect(request.method == "PUT" && request.fields["x-prediction-id"] == key)
    #expect(request.body.starts(with: Array("PK".utf8)))

    let refused = try await submit(
      to: "http://user:\(secret)@127.0.0.1:\(server.port)/refused/?token=\(secret)", harness)
    let reason = try await harness.end(of: refused)["reason"]
    #expect(reason?.contains("HTTP 403, from http://127.0.0.1:\(server.port)") == true)
    // Its output is searched for the secret as well.
    #expect(try await daemon.stop() == .code(0))
    #expect(await daemon.status.output.contains("STORAGE_UPLOAD_HOSTS has http://cog.example: "))
    try TestSecret.check(try await holdings(of: harness.redis), of: "Redis")
  }

  /// All that Redis has, but for what the senders of jobs wrote.
  private func holdings(of redis: RedisClient) async throws -> String {
    var lines: [String] = []
    let keys: [String] = try await redis.command("KEYS", "*").decode()
    for key in keys {
      switch try await redis.command("TYPE", key).string {
      case "hash":
        let fields: [String: String] = try await redis.command("HGETALL", key).decode()
        lines += fields.filter { $0.key != Field.uploadURL }.map { "\(key) \($0.key): \($0.value)" }
      case "list": lines.append("\(key): \(try await redis.command("LRANGE", key, 0, -1))")
      case "set": lines.append("\(key): \(try await redis.command("SMEMBERS", key))")
      case "zset": lines.append("\(key): \(try await redis.command("ZRANGE", key, 0, -1))")
      case "stream": lines.append("\(key): \(try await redis.command("XRANGE", key, "-", "+"))")
      default: lines.append("\(key): \(try await redis.command("GET", key))")
      }
    }
    #expect(lines.contains { $0.contains(" reason: ") })
    return lines.joined(separator: "\n")
  }

  @Test(.redisServer) func `a host that is not listed ends a job before its model is asked`()
    async throws
  {
    let harness = try DaemonHarness()
    let server = try await TestWebServer()
    let daemon = try await harness.startDaemon([
      "STORAGE_UPLOAD_HOSTS": "targets.example,http://localhost:\(server.port)"
    ])
    let key = try await submit(to: server.url("/?\(TestSecret.make())"), harness)
    let fields = try await harness.end(of: key)
    #expect(fields["status"] == "failed" && fields["error_code"] == "invalid_input")
    #expect(
      fields["reason"] == "InvalidInput: upload_url names http://127.0.0.1:\(server.port), a host "
        + "that results are not sent to; ask for it to be listed in STORAGE_UPLOAD_HOSTS of this "
        + "service")
    #expect(fields["download_time"] == nil && fields["progress"] == nil)
    #expect(server.requests.isEmpty)
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer) func `settings that cannot be used are told at start`() async throws {
    let harness = try DaemonHarness()
    let secret = TestSecret.make()
    let daemon = try await harness.startDaemon([
      "STORAGE_UPLOAD_HOSTS": "targets.example", "UPLOAD_URL": "https://u:\(secret)@other.example/",
    ])
    #expect(try await daemon.waitForExit() == .code(78))
    let output = await daemon.status.output
    #expect(output.contains("UPLOAD_URL: upload_url names https://other.example:443"))

    // Each result would replace the one before.
    let one = try await harness.startDaemon([
      "STORAGE_UPLOAD_HOSTS": "targets.example",
      "UPLOAD_URL": "https://targets.example/result.zip?sig=\(secret)",
    ])
    #expect(try await one.waitForExit() == .code(78))
    #expect(await one.status.output.contains("UPLOAD_URL: it is the address of one file"))

    let another = try await harness.startDaemon(["STORAGE_UPLOAD_HOSTS": "a/b"])
    #expect(try await another.waitForExit() == .code(78))
    #expect(await another.status.output.contains("STORAGE_UPLOAD_HOSTS: \"a/b\" is no host"))
  }
}
