import RedisClient

/// A job to be put into a queue, with the fields that the web front end writes.
package struct JobSubmission: Sendable {
  /// The Redis list; zip archives go to `<queue>-zip`.
  package var queue: String
  package var originalName: String
  /// Key of the input in the bucket.
  package var inputFileName: String
  /// Other fields, by name of the hash's field.
  package var fields: [String: String]
  /// When and how it is to run.
  package var delivery = DeliveryOptions()

  package init(
    queue: String, originalName: String, inputFileName: String, fields: [String: String] = [:]
  ) {
    self.queue = queue
    self.originalName = originalName
    self.inputFileName = inputFileName
    self.fields = fields
  }

  /// Fields that producers always write, empty where there is nothing to say.
  private static let alwaysPresent = [
    Field.modelName, Field.modelVersion, Field.preprocessFunction, Field.postprocessFunction,
    Field.url, Field.label, Field.dimensionOrder, Field.channels, Field.scale,
    Field.segmentationType,
  ]

  /// Makes the hash and pushes its key, in one step.
  ///
  /// - Parameter submitter: written to `identity_upload`.
  /// - Returns: the job's key; that of the first one if the same was submitted before, see
  ///   ``DeliveryOptions/fingerprint``.
  package func submit(to redis: RedisClient, submitter: String) async throws -> String {
    try await submission(to: redis, submitter: submitter).key
  }

  /// The same as ``submit(to:submitter:)``, and tells a repetition from a new job.
  package func submission(to redis: RedisClient, submitter: String) async throws -> Submission {
    let isZip = originalName.lowercased().hasSuffix(".zip")
    let list = isZip ? Keys.zipQueue(of: queue.lowercased()) : queue.lowercased()
    let now = Timestamp.now.producerDescription
    var hash = Dictionary(uniqueKeysWithValues: Self.alwaysPresent.map { ($0, "") })
    hash[Field.cuts] = "0"
    hash.merge(fields) { $1 }
    hash[Field.originalName] = originalName
    hash[Field.inputFileName] = inputFileName
    hash[Field.status] = JobStatus.new.rawValue
    hash[Field.createdAt] = now
    hash[Field.updatedAt] = now
    hash[Field.identityUpload] = submitter
    // A comma in a child's key would break the lists that Python zip consumers keep.
    let name = originalName.replacing(",", with: "_")
    let key = "\(list):\(name):\(RandomName.hex(digits: 32))"
    let reply = try await JobQueue(name: list, worker: submitter, redis: redis)
      .submit(key, hash, delivery)
    // The key is random: if it is there already, an earlier try whose reply was lost made it.
    return reply.key == key ? Submission(outcome: .made, key: key) : reply
  }
}

/// Names that no two makers choose.
package enum RandomName {
  /// Lower-case hexadecimal digits from the system's generator.
  package static func hex(digits: Int) -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<digits).map { _ in
      String(UInt8.random(in: 0...15, using: &generator), radix: 16)
    }.joined()
  }
}
