import Glibc
import Subprocess

/// A program run by a test. It is killed when the test process ends, however that happens.
public final class ChildProcess: Sendable {
  /// How a program ended.
  public enum Exit: Sendable, Hashable {
    case code(Int32)
    case signal(Int32)
  }

  /// What is known of the program.
  public struct Status: Sendable {
    public internal(set) var standardOutput = ""
    public internal(set) var standardError = ""
    public internal(set) var exit: Exit?
    var processIdentifier: pid_t?
    var failure: String?

    /// Output and errors, one after the other.
    public var output: String { standardOutput + standardError }
  }

  public let processIdentifier: pid_t
  private let command: String
  private let watched: Watched<Status>

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - executable: a path, or a name looked up in `PATH`.
  ///   - environment: added to that of the tests; an empty value removes nothing.
  ///   - leavings: files and folders that are removed once the program has ended, however that
  ///     happens.
  public static func start(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    workingDirectory: String? = nil, leavings: [String] = []
  ) async throws -> ChildProcess {
    let watched = Watched(Status())
    var environmentUpdates: [Environment.Key: String?] = [
      "LEAVINGS": leavings.joined(separator: "\n")
    ]
    for (name, value) in environment { environmentUpdates[.init(stringLiteral: name)] = value }
    let configuration = Configuration(
      executable: .path("/bin/sh"),
      arguments: .init(["-c", Self.guardScript, "sh", executable] + arguments),
      environment: .inherit.updating(environmentUpdates),
      workingDirectory: workingDirectory.map { .init($0) })

    // Not structured: a program lives from `start` to its exit, across the functions of a test. The
    // task ends with the program.
    Task.detached {
      do {
        let result = try await run(
          configuration, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
          let identifier = execution.processIdentifier.value
          await watched.update { $0.processIdentifier = identifier }
          async let errors: Void = {
            for try await buffer in execution.standardError {
              let text = buffer.text
              await watched.update { $0.standardError.appendBounded(text) }
            }
          }()
          for try await buffer in execution.standardOutput {
            let text = buffer.text
            await watched.update { $0.standardOutput.appendBounded(text) }
          }
          try await errors
          // The program has ended: its guard may go without killing anybody.
          _ = try? await execution.standardInputWriter.write("\n")
        }
        let exit: Exit =
          switch result.terminationStatus {
          case .exited(let code): .code(code)
          case .signaled(let signal): .signal(signal)
          }
        await watched.update { $0.exit = exit }
      } catch {
        await watched.update { $0.failure = "\(error)" }
      }
    }

    let status = try await within(.seconds(30), "starting \(executable)") {
      try await watched.wait { $0.processIdentifier != nil || $0.failure != nil }
    }
    guard let identifier = status.processIdentifier else {
      throw TestSupportError("cannot start \(executable): \(status.failure ?? "")")
    }
    return ChildProcess(identifier, executable, watched)
  }

  /// Becomes the program, with the same process identifier. Beside it waits a shell, no child of the
  /// program, that holds the only reading end of a pipe from the tests: a line means that the program
  /// has ended, the pipe's end without one that the tests have. What is named in `LEAVINGS`, one a
  /// line, is removed then.
  static let guardScript = """
    ( ( read line || kill -KILL $$
        set -f
        IFS='
    '
        for try in 1 2 3 4 5; do
          [ -z "$LEAVINGS" ] || rm -rf -- $LEAVINGS && break
          sleep 0.2  # It may still be ending, and make files until then.
        done ) <&3 >/dev/null 2>&1 & ) 3<&0
    exec "$@" </dev/null
    """

  private init(_ identifier: pid_t, _ command: String, _ watched: Watched<Status>) {
    processIdentifier = identifier
    self.command = command
    self.watched = watched
  }

  public var status: Status {
    get async { await watched.value }
  }

  /// Sends a signal, unless the program has ended.
  public func send(_ signal: Int32) async {
    if await watched.value.exit == nil { kill(processIdentifier, signal) }
  }

  /// Waits until the condition holds; fails when the program ends before.
  @discardableResult
  public func wait(
    within limit: Duration = .seconds(30), _ what: String,
    until condition: @escaping @Sendable (Status) -> Bool
  ) async throws -> Status {
    let watched = watched
    let status = try await TestSupport.within(limit, "waiting for \(what) of \(command)") {
      try await watched.wait { condition($0) || $0.exit != nil || $0.failure != nil }
    }
    guard condition(status) else {
      throw TestSupportError("\(command) ended before \(what): \(status)")
    }
    return status
  }

  /// Waits until the program says something on either output.
  @discardableResult
  public func wait(
    forOutput text: String, within limit: Duration = .seconds(30)
  ) async throws -> Status {
    try await wait(within: limit, "\"\(text)\"") { $0.output.contains(text) }
  }

  /// Waits until the program has ended.
  @discardableResult
  public func waitForExit(within limit: Duration = .seconds(30)) async throws -> Exit {
    let watched = watched
    let status = try await TestSupport.within(limit, "the exit of \(command)") {
      try await watched.wait { $0.exit != nil || $0.failure != nil }
    }
    guard let exit = status.exit else { throw TestSupportError("\(command): \(status)") }
    try TestSecret.check(status.output, of: command)
    return exit
  }

  /// Asks the program to end, insists after `grace`, and waits for its end, also in a cancelled task.
  @discardableResult
  public func stop(grace: Duration = .seconds(5)) async throws -> Exit {
    // A test that was cancelled still has to clean up.
    try await Task { () async throws -> Exit in
      await send(SIGTERM)
      // A stopped process does not see SIGTERM.
      await send(SIGCONT)
      if let exit = try? await waitForExit(within: grace) { return exit }
      await send(SIGKILL)
      return try await waitForExit()
    }.value
  }
}

extension SubprocessOutputSequence.Buffer {
  fileprivate var text: String {
    withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}

extension String {
  /// Keeps the last part of what a program says.
  fileprivate mutating func appendBounded(_ text: String) {
    append(text)
    if utf8.count > 4 << 20 { removeFirst(count / 2) }
  }
}
