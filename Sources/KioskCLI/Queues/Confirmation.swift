import Glibc

/// Asks before something is done to many jobs.
enum Confirmation {
  /// - Parameter isGiven: whether `--yes` was.
  /// - Throws: ``KioskError`` `usage` where nobody can be asked, `interrupted` when the answer is no;
  ///   `CancellationError`.
  static func ask(_ question: String, isGiven: Bool, _ console: Console) async throws {
    if isGiven { return }
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      throw KioskError(.usage, "\(question)? Add --yes to do it without being asked")
    }
    Console.write("\(question)? [y/N] ", to: STDERR_FILENO)
    let answer = try await line().lowercased()
    guard ["y", "yes"].contains(answer) else {
      throw KioskError(.interrupted, "nothing was changed")
    }
  }

  /// A line of standard input, which an interruption does not have to wait for.
  private static func line() async throws -> String {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    while poll(&input, 1, 0) == 0 { try await Task.sleep(for: .milliseconds(50)) }
    // A terminal gives whole lines.
    return (readLine() ?? "").split(separator: " ").joined()
  }
}
