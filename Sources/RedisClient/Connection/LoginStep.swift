/// One command of a connection's beginning, and what its refusal means.
enum LoginStep {
  case authenticate(RedisCommand)
  case name(RedisCommand)
  case select(RedisCommand)
  /// Proves that the server answers commands: it may be loading, or have no room.
  case ping
  /// Asks what the server is: the primary, a replica or a Sentinel.
  case role

  /// The steps for a configuration; all are sent in one write.
  static func steps(_ configuration: RedisConfiguration) -> [LoginStep] {
    var steps: [LoginStep] = []
    if let password = configuration.password {
      // Without a user name as Redis before 6 wants it.
      let credentials = (configuration.username.map { [$0] } ?? []) + [password]
      steps.append(.authenticate(RedisCommand("AUTH", arguments: credentials)))
    }
    if let name = configuration.clientName {
      // Redis refuses spaces and anything not printable.
      let name = String(name.unicodeScalars.map { ("!"..."~").contains($0) ? Character($0) : "-" })
      steps.append(.name(RedisCommand("CLIENT", "SETNAME", name)))
    }
    if configuration.database != 0 {
      steps.append(.select(RedisCommand("SELECT", configuration.database)))
    }
    return steps + [.ping, .role]
  }

  var command: RedisCommand {
    switch self {
    case .authenticate(let command), .name(let command), .select(let command): command
    case .ping: RedisCommand("PING")
    case .role: RedisCommand("ROLE")
    }
  }

  /// The error to fail the connection with, nil when the refusal does not matter.
  func error(_ message: String) -> RedisError? {
    let code = ServerCode(message: message)
    if RedisError.announcesHangUp(message) || code?.isTemporary == true {
      return RedisError(.connectionFailed, reason: message)
    }
    switch self {
    case .authenticate: return RedisError(.authenticationFailed, reason: message)
    // A user may lack the right to name its connection, to ask the role or to ping: another step
    // would have failed.
    case .name, .role: return nil
    case .select:
      if code == .noAuth { return nil }  // PING says so better.
      return RedisError(.invalidConfiguration, reason: "REDIS_DB is refused: \(message)")
    case .ping:
      if message.hasPrefix("NOPERM") { return nil }
      if code == .noAuth { return RedisError(.authenticationFailed, reason: message) }
      return RedisError(.connectionFailed, reason: message)
    }
  }
}
