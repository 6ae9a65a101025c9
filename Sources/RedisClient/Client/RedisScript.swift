/// A Lua script that is sent once and then called by its digest.
public struct RedisScript: Sendable {
  public let source: String

  /// The SHA-1 of the source in hexadecimal, as `EVALSHA` wants it.
  public let digest: String

  public init(_ source: String) {
    self.source = source
    digest = SHA1.hexadecimal(of: Array(source.utf8))
  }

  /// The call by digest, for pipelines; the reply is a `NOSCRIPT` error when the server does not
  /// have the script.
  public func command(
    keys: [any RedisArgument] = [], arguments: [any RedisArgument] = [], idempotent: Bool = false
  ) -> RedisCommand {
    call("EVALSHA", digest, keys, arguments, idempotent)
  }

  func fullCommand(
    _ keys: [any RedisArgument], _ arguments: [any RedisArgument], _ idempotent: Bool
  ) -> RedisCommand {
    call("EVAL", source, keys, arguments, idempotent)
  }

  private func call(
    _ name: String, _ script: String, _ keys: [any RedisArgument],
    _ arguments: [any RedisArgument], _ idempotent: Bool
  ) -> RedisCommand {
    let head: [any RedisArgument] = [script, keys.count]
    return RedisCommand(name, arguments: head + keys + arguments, idempotent: idempotent)
  }
}

extension RedisClient {
  /// Runs a script and returns its reply: one command, and two when the server does not know the
  /// script yet, be it new, restarted or flushed.
  ///
  /// Replies must stay flat: arrays nest at most 8 deep.
  ///
  /// - Parameter idempotent: see ``RedisCommand/isIdempotent``.
  @discardableResult
  public func eval(
    _ script: RedisScript, keys: [any RedisArgument] = [], arguments: [any RedisArgument] = [],
    timeout: Duration? = nil, idempotent: Bool = false
  ) async throws -> RedisValue {
    do {
      return try await send(
        script.command(keys: keys, arguments: arguments, idempotent: idempotent), timeout: timeout)
    } catch let error as RedisError where error.serverCode == ServerCode.noScript.rawValue {
      // Refused before anything was executed. EVAL makes the server keep the script.
      return try await send(script.fullCommand(keys, arguments, idempotent), timeout: timeout)
    }
  }
}
