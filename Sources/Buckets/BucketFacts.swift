/// What is known of a bucket and of the way to it, for people who set it up. Holds no secrets.
public struct BucketFacts: Sendable, Hashable {
  public struct Detail: Sendable, Hashable {
    /// As in the log: `endpoint`, `region`, `addressing`, `credential`.
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var details: [Detail]
  /// Seconds that the store's clock is ahead of this machine's, as of its last response; nil before one.
  public var clockOffset: Int?
  /// What works but should be changed, one sentence each.
  public var warnings: [String]

  public init(details: [Detail] = [], clockOffset: Int? = nil, warnings: [String] = []) {
    self.details = details
    self.clockOffset = clockOffset
    self.warnings = warnings
  }
}
