import Synchronization

/// Looks for a credential in one place after the other.
///
/// The first that has one is asked from then on. A place that is configured and fails is an error:
/// going on to the next would change who the process is.
final class AWSCredentialChain: Sendable {
  private let links: [any AWSCredentialLink]
  private let allowsAnonymous: Bool
  private let state = Mutex<(chosen: (any AWSCredentialLink)?, source: String)>(
    (nil, "not looked for yet"))

  init(_ links: [any AWSCredentialLink], allowsAnonymous: Bool) {
    self.links = links
    self.allowsAnonymous = allowsAnonymous
  }

  /// Where the credential came from, for the log.
  var source: String { state.withLock { $0.source } }

  /// - Returns: nil if requests are to be sent unsigned.
  /// - Throws: ``BucketError`` `credentials`, which names every place if there is no credential in
  ///   any; `CancellationError`.
  func find() async throws -> FoundCredential? {
    if let link = state.withLock({ $0.chosen }) { return try await findAgain(in: link) }
    var absences: [String] = []
    for link in links {
      do {
        let found = try await link.find()
        state.withLock { $0 = (link, found.source) }
        return found
      } catch let absent as LinkAbsent {
        absences.append("\(link.name): \(absent.reason)")
      }
    }
    let unsigned = "unsigned requests"
    if allowsAnonymous {
      state.withLock { $0.source = unsigned }
      return nil
    }
    absences.append("\(unsigned): AWS_NO_SIGN_REQUEST is not true")
    throw BucketError(.credentials, "no AWS credential: \(absences.joined(separator: "; "))")
  }

  private func findAgain(in link: any AWSCredentialLink) async throws -> FoundCredential {
    do {
      let found = try await link.find()
      state.withLock { $0.source = found.source }
      return found
    } catch let absent as LinkAbsent {
      throw BucketError(
        .credentials, "\(link.name) has no AWS credential any more: \(absent.reason)",
        isRetryable: absent.isRetryable)
    }
  }
}
