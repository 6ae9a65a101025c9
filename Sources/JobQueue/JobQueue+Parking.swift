import RedisClient

/// A job that a parent makes and waits for.
package struct ChildJob: Sendable {
  /// Derived from the parent's key, so that making it again makes nothing new. Holds no comma:
  /// consumers of zip archives keep children as one list with commas.
  package let key: String
  package var queue: String
  /// What a producer would write.
  package var fields: [String: String]

  /// - Parameters:
  ///   - index: which child of the parent it is.
  ///   - name: of its file, for people who read the key.
  package init(
    of parent: String, index: Int, queue: String, name: String, fields: [String: String]
  ) {
    let name = name.replacing(",", with: "_")
    let parent = parent.replacing(",", with: "_")
    key = "\(queue):\(name):\(index):\(parent)"
    self.queue = queue
    self.fields = fields
  }
}

/// When a parent goes on.
package enum ParkingPolicy: String, Sendable {
  /// As soon as one child has failed, or all have ended.
  case failFast = "fail-fast"
  /// When all children have ended.
  case collectAll = "collect-all"
}

extension JobQueue {
  /// Makes children of a job in hand and gives up the job until they have ended: its slot, its lease
  /// and its place in the list. The parent then runs again with the status `waiting`.
  ///
  /// - Parameter fields: of the parent, written as it is parked.
  package func park(
    _ job: ClaimedJob, waitingFor children: [ChildJob], _ policy: ParkingPolicy,
    _ fields: [String: String] = [:]
  ) async throws -> Ownership {
    let created = now().producerDescription
    let batches = stride(from: 0, to: max(children.count, 1), by: 100).map {
      children[$0..<min($0 + 100, children.count)]
    }
    for (index, batch) in batches.enumerated() {
      let isLast = index == batches.count - 1
      let parent = isLast ? fields.flat : []
      let arguments =
        [job.token.rawValue, policy.rawValue, isLast ? "1" : "0", String(parent.count)] + parent
      let made = batch.flatMap { child in
        var fields = child.fields
        fields[Field.status] = JobStatus.new.rawValue
        fields[Field.createdAt] = created
        fields[Field.updatedAt] = created
        fields[Field.identityUpload] = worker
        return [child.key, String(fields.count * 2)] + fields.flat
      }
      let answer = try await ownership(
        Scripts.park, keys: [name, job.key] + batch.map(\.queue), arguments: arguments + made)
      if answer != .held { return answer }
    }
    return .held
  }
}
