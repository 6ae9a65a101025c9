import struct FoundationEssentials.URL

/// Where inputs come from and results go.
///
/// Every call can be cancelled; a cancelled one leaves no temporary files behind.
public protocol Bucket: Sendable {
  /// Copies an object to a file below `folder`, at the key's ``ObjectKey/localPath``.
  ///
  /// - Parameters:
  ///   - folder: made if missing, in one that exists.
  ///   - limit: bytes; a larger object is refused before and while it is read.
  ///   - progress: told the bytes moved so far, at least every 5 s.
  /// - Returns: the file, complete and checked.
  /// - Throws: ``BucketError``, or `CancellationError`.
  func download(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: @escaping TransferProgress
  ) async throws -> URL

  /// Stores a file under `prefix`/`subdir`/`name of the file`, whole or not at all.
  ///
  /// - Throws: ``BucketError``, or `CancellationError`.
  func upload(
    _ file: URL, to destination: UploadDestination, progress: @escaping TransferProgress
  ) async throws -> StoredObject

  /// Removes an object; one that is not there is no error.
  func delete(_ key: ObjectKey) async throws

  /// What clients open to fetch the object. No request is made.
  func url(for key: ObjectKey) -> String

  /// The key that a job's `input_file_name` means: itself, or the rest of a URL of this bucket.
  ///
  /// The stock front end on AWS writes full URLs. A URL is never fetched, only read.
  /// - Throws: ``BucketError`` `invalidRequest` for a URL of anything else, or a hostile key.
  func key(named name: String) throws(BucketError) -> ObjectKey

  /// One cheap request that tells whether the bucket can be used.
  func check() async throws

  /// How the bucket is reached, as far as that is known without a request to it.
  func facts() async -> BucketFacts

  /// Ends what is kept for further calls, such as connections; there are none after it.
  func close() async
}

extension Bucket {
  public func facts() async -> BucketFacts { BucketFacts() }
}

/// Told the bytes moved so far.
public typealias TransferProgress = @Sendable (_ bytes: Int) -> Void

/// Where an upload goes and who may read it.
public struct UploadDestination: Sendable {
  /// `output` for results, `uploads` for inputs.
  public var prefix: String
  /// Folders between prefix and file name; empty for none, one leading `/` is dropped.
  public var subdirectory: String
  public var contentType: String
  public var visibility: Visibility

  public enum Visibility: Sendable {
    /// A finished result, made public where the store does that.
    case result
    /// An input or intermediate file, never public.
    case `internal`
  }

  public init(
    prefix: String = "output", subdirectory: String = "",
    contentType: String = "application/octet-stream", visibility: Visibility = .result
  ) {
    self.prefix = prefix
    self.subdirectory = subdirectory
    self.contentType = contentType
    self.visibility = visibility
  }

  /// The key a file of this name gets.
  public func key(forFileNamed name: String) throws(BucketError) -> ObjectKey {
    var parts = [prefix]
    parts += subdirectory.split(separator: "/").map(String.init)
    parts.append(name)
    return try ObjectKey(parts.joined(separator: "/"))
  }
}

/// An object that the store has acknowledged.
public struct StoredObject: Sendable, Equatable {
  public let key: String
  public let url: String

  public init(key: String, url: String) {
    self.key = key
    self.url = url
  }
}
