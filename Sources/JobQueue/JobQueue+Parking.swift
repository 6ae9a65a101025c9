import RedisClient

/// A job that a parent waits for.
package struct ChildJob: Sendable {
  package let key: String
  package let queue: String
  /// What a producer would write; nil for a job that somebody else makes.
  package let fields: [String: String]?

  /// One that the parent makes. Its key is derived from the parent's, so that making it again makes
  /// nothing new.
  ///
  /// - Parameters:
  ///   - index: which child of the parent it is.
  ///   - name: of its file, for people who read the key.
  package init(
    of parent: String, index: Int, queue: String, name: String, fields: [String: String]
  ) {
    key = Keys.derived(queue: queue, name: name, from: parent, by: "child \(index)")
    self.queue = queue
    self.fields = fields
  }

  /// One that there is. If it is gone by then, it counts as failed.
  package init(existing key: String, queue: String) {
    self.key = key
    self.queue = queue
    fields = nil
  }
}

/// When a parent goes on.
public enum ParkingPolicy: String, Sendable {
  /// As soon as one child has failed, or all have ended.
  case failFast = "fail-fast"
  /// When all children have ended.
  case collectAll = "collect-all"
}

extension JobQueue {
  /// Makes children of a job in hand and gives up the job until they have ended: its slot, its lease
  /// and its place in the list. The parent then runs again with the status `waiting`.
  ///
  /// Safe to repeat when a reply was lost.
  /// - Parameters:
  ///   - fields: of the parent, written as it is parked.
  ///   - share: percent of the parent's progress that the children are.
  package func park(
    _ job: ClaimedJob, waitingFor children: [ChildJob], _ policy: ParkingPolicy,
    _ fields: [String: String] = [:], share: Int = 100
  ) async throws -> Ownership {
    let created = now().producerDescription
    let batches = stride(from: 0, to: max(children.count, 1), by: 100).map {
      children[$0..<min($0 + 100, children.count)]
    }
    for (index, batch) in batches.enumerated() {
      let isLast = index == batches.count - 1
      let parent = isLast ? fields.flat : []
      let arguments =
        [
          job.token.rawValue, policy.rawValue, String(share), isLast ? "1" : "0",
          String(parent.count),
        ] + parent
      let made = batch.flatMap { child in
        guard var fields = child.fields else { return [child.key, "0"] }
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
