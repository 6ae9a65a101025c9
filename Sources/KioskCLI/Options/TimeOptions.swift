import ArgumentParser

/// How long to wait.
struct TimeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Give up waiting after this time; jobs go on.", valueName: "seconds"))
  var timeout: Double?

  var limit: Duration? { timeout.map { .seconds($0) } }

  func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 1e9) {
      throw ValidationError("--timeout is a number of seconds above 0")
    }
  }
}

/// How long finished jobs are kept.
struct ExpiryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long Redis keeps a finished job from now on, if it has no shorter time already; 0 leaves "
        + "it as it is.", valueName: "seconds"))
  var expire = 3600

  func validate() throws {
    guard (0...1_000_000_000).contains(expire) else {
      throw ValidationError("--expire is a number of seconds, or 0")
    }
  }
}
