import Arrays
import Buckets
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import Serving

extension JobError {
  /// Any error as one that a job can end with.
  public init(_ error: any Error) {
    switch error {
    case let error as JobError: self = error
    case let error as BucketError: self.init(Self.code(of: error), error.description)
    case let error as ImageFileError: self.init(Self.code(of: error), error.description)
    case let error as ImageError:
      if error.code == .unexpectedModelOutput {
        self.init(
          .predictInvalid,
          "\(error.description); check that the server has the model this job needs")
      } else {
        self.init(.invalidInput, error.description)
      }
    case let error as ServingError:
      self.init(Code(rawValue: error.jobErrorCode) ?? .predictInvalid, error.description)
    case let error as RedisError: self.init(.redis, error.description)
    case is CancellationError: self.init(.canceled, "the job was cancelled")
    case let error as any CustomStringConvertible & Error:
      self.init(.internal, error.description)
    default:
      // Made for programmers: the log has it.
      self.init(.internal, "an unexpected error ended the job; its worker's log says more")
    }
  }

  private static func code(of error: BucketError) -> Code {
    switch error.code {
    case .notFound: .storageNotFound
    case .invalidRequest, .tooLarge: .invalidInput
    case .cancelled: .canceled
    case .temporaryFolder: .internal
    case .accessDenied, .credentials, .checksum, .throttled, .server, .network, .timeout,
      .localDisk:
      .storage
    }
  }

  private static func code(of error: ImageFileError) -> Code {
    switch error.code {
    case .unreadable, .notWritten: .internal
    case .cancelled: .canceled
    case .unknownFormat, .unsupported, .damaged, .tooLarge, .unsafeMember, .invalidName,
      .unsupportedArray:
      .invalidInput
    }
  }
}
