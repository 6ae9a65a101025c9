import ArgumentParser
import Buckets
import RedisClient
import Serving

/// Why a command ends other than by success, with its exit code.
struct KioskError: Error, CustomStringConvertible {
  enum Code: Int32 {
    case jobFailed = 1
    case usage = 2
    case cannotConnect = 3
    case timedOut = 4
    case interrupted = 130
  }

  let code: Code
  /// Empty when everything was said already.
  let description: String

  init(_ code: Code, _ description: String = "") {
    self.code = code
    self.description = description
  }

  /// Sorts what a command may throw.
  init(_ error: any Error) {
    switch error {
    case let error as KioskError: self = error
    case let error as RedisError: self.init(.cannotConnect, Self.advised(error))
    case let error as BucketError:
      let isAway =
        switch error.code {
        case .accessDenied, .credentials, .network, .server, .timeout, .throttled: true
        default: false
        }
      self.init(isAway ? .cannotConnect : .jobFailed, "\(error)")
    case let error as ServingError:
      let isAway = [.unavailable, .deadlineExceeded, .unimplemented].contains(error.code)
      self.init(isAway ? .cannotConnect : .jobFailed, "\(error)")
    case is CancellationError: self.init(.interrupted)
    default: self.init(.jobFailed, "\(error)")
    }
  }

  private static func advised(_ error: RedisError) -> String {
    switch error.code {
    case .connectionFailed, .timedOut, .connectionLost:
      "\(error); check REDIS_HOST and REDIS_PORT"
    default: "\(error)"
    }
  }
}
