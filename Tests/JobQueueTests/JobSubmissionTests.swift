import JobQueue
import RedisClient
import TestSupport
import Testing

@Suite struct JobSubmissionTests {
  @Test(.redisServer) func `a submitted job has the fields that peers expect`() async throws {
    let redis = try #require(RedisServer.connection)
    let submission = JobSubmission(
      queue: "Segmentation", originalName: "my, cells.tif", inputFileName: "uploads/1.tif",
      fields: [Field.channels: "0,", Field.scale: "0.8"])

    let key = try await submission.submit(to: redis, submitter: "laptop")

    #expect(key.hasPrefix("segmentation:my_ cells.tif:"))
    let list: [String] = try await redis.command("LRANGE", "segmentation", 0, -1).decode()
    #expect(list == [key])
    let hash: [String: String] = try await redis.command("HGETALL", key).decode()
    #expect(hash["original_name"] == "my, cells.tif")
    #expect(hash["input_file_name"] == "uploads/1.tif")
    #expect(hash["status"] == "new")
    #expect(hash["channels"] == "0,")
    #expect(hash["scale"] == "0.8")
    #expect(hash["cuts"] == "0")
    #expect(hash["dimension_order"] == "")
    #expect(hash["identity_upload"] == "laptop")
    #expect(hash["created_at"].flatMap(Timestamp.init) != nil)
    #expect(hash["created_at"] == hash["updated_at"])
  }

  @Test(.redisServer) func `archives go to the queue of archives`() async throws {
    let redis = try #require(RedisServer.connection)
    let key = try await JobSubmission(
      queue: "predict", originalName: "All.ZIP", inputFileName: "uploads/1.zip"
    ).submit(to: redis, submitter: "x")
    #expect(key.hasPrefix("predict-zip:All.ZIP:"))
    #expect(try await redis.command("LLEN", "predict-zip") == 1)
  }
}

@Suite struct TimestampTests {
  @Test func `both forms are written with an offset and read again`() {
    let time = Timestamp(microseconds: 1_795_311_600_000_042)
    #expect(time.description == "2026-11-22T01:40:00.000042+00:00")
    #expect(time.producerDescription == "2026-11-22T01:40:00.000Z")
    #expect(Timestamp(time.description)?.microseconds == time.microseconds)
    #expect(Timestamp("2026-11-22T03:40:00+02:00")?.microseconds == 1_795_311_600_000_000)
    #expect(Timestamp("2026-11-22T01:40:00.000Z")?.microseconds == 1_795_311_600_000_000)
  }

  @Test(arguments: ["", "now", "2026-11-22", "2026-11-22T01:40:00", "2026-11-22T01:40:00+0x:00"])
  func `a time without an offset is none`(text: String) {
    #expect(Timestamp(text) == nil)
  }
}
