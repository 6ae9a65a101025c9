import CurlClient

/// A store that objects are read from, by one GET at a time.
protocol ObjectReader: Sendable {
  /// Sends one GET.
  ///
  /// - Parameters:
  ///   - range: bytes to ask for.
  ///   - version: of the object that is wanted, see ``version(of:)``; nil for any.
  ///   - sink: takes the response, of any status.
  /// - Throws: ``ObjectReplaced`` when the object is not of this version any more; ``FailedTry`` for a
  ///   response that ``RangeSink/isAccepted`` does not accept; `HTTPError`.
  func get(
    _ key: ObjectKey, _ range: Range<Int>, version: String?, into sink: RangeSink
  ) async throws

  /// What tells a stored object from another one that replaces it.
  func version(of head: HTTPHead) -> String?
}

/// Another object has the key now, of which parts must not be mixed with those of the first.
struct ObjectReplaced: Error {}
