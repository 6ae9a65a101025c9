import CTensorFlowServing

/// One connection to a server, opened by its first call.
final class Channel: @unchecked Sendable {  // gRPC channels are thread-safe
  enum State: Int32 {
    case idle, connecting, ready, failing, closed
  }

  let handle: OpaquePointer

  init(_ configuration: ServingConfiguration) throws(ShimError) {
    let keepalive = configuration.keepaliveTime.map { Int32(clamping: $0.wholeMilliseconds) } ?? 0
    handle = try checked { error in
      configuration.target.withCString { target in
        var options = tfs_channel_options(
          target: target, keepalive_time_ms: keepalive,
          keepalive_timeout_ms: Int32(clamping: configuration.keepaliveTimeout.wholeMilliseconds),
          gzip: configuration.compressesRequests)
        return tfs_channel_create(&options, error)
      }
    }!  // set when no error was
  }

  deinit { tfs_channel_destroy(handle) }

  var state: State { State(rawValue: tfs_channel_state(handle, false)) ?? .closed }

  /// Opens the connection, if it is not, without waiting for it.
  func connect() { _ = tfs_channel_state(handle, true) }
}

extension Duration {
  /// Rounded up, so that a positive time is never 0.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    guard seconds < .max / 1000 - 1 else { return .max / 1000 }
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
