import RedisClient

/// A job to be put into a queue, with the fields that the web front end writes.
public struct JobSubmission: Sendable {
  /// The Redis list; zip archives go to `<queue>-zip`.
  public var queue: String
  /// The file's name as its owner knows it.
  public var originalName: String
  /// Key of the input in the bucket.
  public var inputFileName: String
  /// Other fields, by name of the hash's field.
  public var fields: [String: String]
  /// Whether an archive goes to ``queue`` like any other file, not to the list of archives.
  package var isForQueueItself = false
  /// When and how it is to run.
  package var delivery = DeliveryOptions()

  public init(
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

  /// The list that the job goes to.
  package var list: String {
    let isZip = !isForQueueItself && originalName.lowercased().hasSuffix(".zip")
    return isZip ? Keys.zipQueue(of: queue.lowercased()) : queue.lowercased()
  }

  /// What the hash says of the job, without its status and times.
  package var producerFields: [String: String] {
    var hash = Dictionary(uniqueKeysWithValues: Self.alwaysPresent.map { ($0, "") })
    hash[Field.cuts] = "0"
    hash.merge(fields) { $1 }
    hash[Field.originalName] = originalName
    hash[Field.inputFileName] = inputFileName
    return hash
  }

  /// Makes the hash and pushes its key, in one step.
  ///
  /// - Parameters:
  ///   - key: of the job; one that is there already is left as it is.
  ///   - submitter: written to `identity_upload`.
  /// - Returns: the job's key; that of the first one if the same was submitted before, see
  ///   ``DeliveryOptions/fingerprint``.
  package func submit(
    to redis: RedisClient, as key: String? = nil, submitter: String
  ) async throws -> String {
    try await submission(to: redis, as: key, submitter: submitter).key
  }

  /// The same as ``submit(to:as:submitter:)``, and tells a repetition from a new job.
  package func submission(
    to redis: RedisClient, as key: String? = nil, submitter: String
  ) async throws -> Submission {
    let now = Timestamp.now.producerDescription
    var hash = producerFields
    hash[Field.status] = JobStatus.new.rawValue
    hash[Field.createdAt] = now
    hash[Field.updatedAt] = now
    hash[Field.identityUpload] = submitter
    // A comma in a child's key would break the lists that Python zip consumers keep.
    let name = originalName.replacing(",", with: "_")
    let key = key ?? "\(list):\(name):\(RandomName.hex(digits: 32))"
    let reply = try await JobQueue(name: list, worker: submitter, redis: redis)
      .submit(key, hash, delivery)
    // The key is random, or the maker's own: if it is there already, an earlier try whose reply was lost
    // made it.
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
