import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Submissions that wait until replicas have the job.
@Suite struct SubmissionReplicaTests {
  @Test(.redisServer) func `a job that no replica has is accepted all the same`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let options = DeliveryOptions(
      fingerprint: "f", replicas: 1, replicaLimit: .milliseconds(10))
    #expect(
      try await queue.submit("a", ["status": "new"], options)
        == Submission(outcome: .made, key: "a", replicaCount: 0))
    #expect(
      try await queue.submit("b", ["status": "new"], options)
        == Submission(outcome: .duplicate, key: "a"))
    #expect(try await harness.list() == ["a"])
    #expect(try await queue.submit("c", ["status": "new"]).replicaCount == nil)
  }

  @Test(.redisCluster) func `a job that replicas have survives the loss of its primary`()
    async throws
  {
    let cluster = try #require(RedisCluster.current)
    try await RedisClient.withClient(cluster.configuration) { redis in
      let queue = JobQueue(name: "predict", worker: "pod-1", redis: redis)
      let submission = try await queue.submit(
        "job", ["status": "new"], DeliveryOptions(replicas: 2, replicaLimit: .seconds(60)))
      #expect(submission == Submission(outcome: .made, key: "job", replicaCount: 2))
      let old = try await cluster.killPrimary()
      try await cluster.waitForFailover(from: old)
      try await eventually("the new primary has the job") {
        try await queue.counts().waiting == 1
      }
      let claim = try await queue.claim(upTo: 1)
      #expect(claim.jobs.map(\.key) == ["job"])
    }
  }
}
