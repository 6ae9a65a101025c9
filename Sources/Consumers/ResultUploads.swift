import Buckets
import JobQueue

/// Which jobs' results are sent by HTTP, and where.
package struct ResultUploads: Sendable {
  package let targets: UploadTargets
  /// Where those of jobs go that do not say; nil: into the bucket. Not those that a parent waits for, which
  /// looks into the bucket.
  private let defaultURL: String?

  /// None.
  package init() { self.init(targets: UploadTargets(), defaultURL: nil) }

  package init(targets: UploadTargets, defaultURL: String?) {
    self.targets = targets
    self.defaultURL = defaultURL
  }

  /// - Returns: nil for the bucket.
  /// - Throws: ``BucketError`` `invalidRequest` that says why the result cannot be sent where the job wants
  ///   it.
  func target(of claimed: ClaimedJob) async throws -> UploadTarget? {
    guard let url = claimed.job[Field.uploadURL] ?? (claimed.hasParent ? nil : defaultURL) else {
      return nil
    }
    return try await targets.target(url, id: claimed.key)
  }
}
