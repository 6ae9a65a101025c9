import NIOCore

/// Whether one Sentinel could bring about a failover.
public struct RedisQuorum: Sendable, Hashable {
  public let sentinel: RedisEndpoint
  /// Why it could not, or does not answer; nil if all is well.
  public let problem: String?
}

extension RedisClient {
  /// Asks each known Sentinel whether it reaches enough of the others, in the order of their
  /// addresses. Empty where there are none.
  ///
  /// - Throws: `CancellationError`. A Sentinel that does not answer is a result.
  public func quorums() async throws -> [RedisQuorum] {
    guard let name = topology.sentinelName else { return [] }
    return try await withThrowingTaskGroup(of: RedisQuorum.self) { group in
      for sentinel in topology.sentinels {
        group.addTask {
          RedisQuorum(sentinel: sentinel, problem: try await self.quorumProblem(name, sentinel))
        }
      }
      var results: [RedisQuorum] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.sentinel.description < $1.sentinel.description }
    }
  }

  private func quorumProblem(_ name: String, _ sentinel: RedisEndpoint) async throws -> String? {
    let deadline = deadline(configuration.connectTimeout)
    do {
      let (connection, _) = try await discovery.connector.connect(to: sentinel, until: deadline)
      defer { connection.close("the question is answered") }
      let request = try Request(RedisCommand("SENTINEL", "CKQUORUM", name), deadline: deadline)
      return try await connection.send(request).errorMessage
    } catch let error as RedisError {
      return error.reason
    }
  }
}
