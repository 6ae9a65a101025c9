import Arrays
import Consumers
import Foundation
import ImageFiles
import RedisClient
import TestSupport
import Testing

/// An archive of a thousand files.
@Suite struct ManyMembersTests {
  /// Gives each file a result of 64 KiB that cannot be packed.
  final class NoiseConsumer: TensorFlowServingConsumer {
    private static let noise: NDArray<Float> = {
      var generator = SeededGenerator(seed: 2)
      let pixels = (0..<(128 * 128)).map { _ in
        Float(UInt32.random(in: 0...(.max), using: &generator))
      }
      return NDArray(shape: [128, 128], elements: pixels)
    }()

    override func consume(_ job: Job) async throws -> JobStatus {
      let stored = try await upload(zip(saveArray(Self.noise, name: job.originalName)))
      try await updateKey(
        job, [Field.outputFileName: stored.key, Field.outputURL: stored.url])
      return .done
    }
  }

  @Test(.redisServer)
  func `a thousand files take bounded memory and at most three commands each`() async throws {
    let count = 1000
    let bench = try ZipBench()
    let server = try #require(RedisServer.current)
    var generator = SeededGenerator(seed: 1)
    let content = (0..<(64 << 10)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let input = bench.harness.store.file("uploads/plate.zip")
    try FileManager.default.createDirectory(
      atPath: bench.harness.store.file("uploads"), withIntermediateDirectories: true)
    try ZipWriter.write(
      (0..<count).map { ZipEntry(name: "row \($0 % 8)/\($0).tif", content: .bytes(content)) },
      to: input, name: "plate.zip")

    let daemon = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"),
      environment: [
        "QUEUE": ConsumerHarness.queue, "CONSUMER_TYPE": "zip", "HOSTNAME": "pod-zip",
        "REDIS_HOST": "127.0.0.1", "REDIS_PORT": String(server.port),
        "STORAGE_BUCKET": "file://" + bench.harness.store.path,
        "TMPDIR": bench.harness.work.path, "STORAGE_FILE_FSYNC": "false",
      ])
    try await daemon.wait(forOutput: "started")
    let idle = try Self.peakMemory(of: daemon)
    let log = bench.harness.store.file("monitor.log")
    let monitor = try await ChildProcess.start(
      "sh", ["-c", "exec redis-cli -p \(server.port) monitor > '\(log)'"])
    try await eventually("the monitor listens") {
      try await bench.redis.command("CLIENT", "LIST", "TYPE", "normal").string?
        .contains("cmd=monitor") == true
    }

    let key = try await bench.harness.submit(name: "plate.zip")
    try await bench.harness.withService(
      NoiseConsumer.self, on: ConsumerHarness.queue, slots: 2
    ) { _ in
      try await eventually("the archive is done", within: .seconds(120)) {
        try await bench.redis.command("HGET", key, "status").string == "done"
      }
    }
    let fields = try await bench.harness.fields(key)
    #expect(fields["total_jobs"] == String(count) && fields["failures"] == "")
    let results = try ZipReader(
      path: bench.harness.store.file(fields["output_file_name"] ?? ""), name: "the result")
    #expect(
      results.members.map(\.name) == (0..<count).map { "row \($0 % 8)/\($0)_feature_0.tif" })

    // The archive has 64 MB, and so have the results.
    let used = try Self.peakMemory(of: daemon) - idle
    #expect(used < 48 << 20, "\(used >> 20) MiB more than idle")

    #expect(try await daemon.stop() == .code(0))
    try await bench.redis.command("PING", "the end")
    try await eventually("the monitor has seen the end") {
      try String(contentsOf: URL(filePath: log), encoding: .utf8).contains("\"the end\"")
    }
    try await monitor.stop()
    // Every command that a client sent, without what scripts do and the test's own looks at the hash.
    let commands = try String(contentsOf: URL(filePath: log), encoding: .utf8)
      .split(separator: "\n").map { $0.prefix(80) }
      .filter { line in !["lua] ", "\"HGET\"", "\"HGETALL\""].contains { line.contains($0) } }
    #expect(commands.count > 2 * count, "the monitor has seen the jobs")
    #expect(commands.count <= 3 * count, "\(commands.count) commands")
  }

  /// Bytes.
  private static func peakMemory(of process: ChildProcess) throws -> Int {
    let text = try String(
      contentsOf: URL(filePath: "/proc/\(process.processIdentifier)/status"), encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    let number = try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first)
    return try #require(Int(number)) << 10
  }
}
