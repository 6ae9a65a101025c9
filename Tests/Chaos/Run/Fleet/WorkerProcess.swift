import Foundation
import Synchronization
import TestSupport

/// A place in which one process after another serves a queue.
final class WorkerProcess: Sendable {
  let queue: String
  /// Whether its process lives through the whole run, so that growth would show.
  let isLasting: Bool
  private let program: String
  private let environment: [String: String]
  private let folder: TemporaryFolder

  private struct State {
    var name: String
    var child: ChildProcess
    /// Whether somebody does something to it.
    var isTaken = false
    var generation = 1
    /// Earlier processes of this round.
    var past: [ChildProcess] = []
  }

  private let state: Mutex<State>

  static func start(
    _ program: String = "ChaosConsumer", queue: String, name: String, isLasting: Bool,
    environment: [String: String]
  ) async throws -> WorkerProcess {
    let folder = try TemporaryFolder()
    var environment = environment
    environment["QUEUE"] = queue
    environment["TMPDIR"] = folder.path
    let child = try await launch(program, name, environment)
    return WorkerProcess(program, queue, name, isLasting, environment, folder, child)
  }

  private init(
    _ program: String, _ queue: String, _ name: String, _ isLasting: Bool,
    _ environment: [String: String], _ folder: TemporaryFolder, _ child: ChildProcess
  ) {
    (self.program, self.queue, self.isLasting) = (program, queue, isLasting)
    (self.environment, self.folder) = (environment, folder)
    state = Mutex(State(name: name, child: child))
  }

  private static func launch(
    _ program: String, _ name: String, _ environment: [String: String]
  ) async throws -> ChildProcess {
    try await ChildProcess.start(
      BuiltProduct.path(program),
      environment: environment.merging(["HOSTNAME": name]) { $1 })
  }

  var name: String { state.withLock { $0.name } }
  var child: ChildProcess { state.withLock { $0.child } }
  var processes: [ChildProcess] { state.withLock { $0.past + [$0.child] } }

  /// Reserves it for one who does something to it.
  func take() -> Bool {
    state.withLock { state in
      defer { state.isTaken = true }
      return !state.isTaken
    }
  }

  func giveBack() { state.withLock { $0.isTaken = false } }

  /// Starts the next process, under the same name or, as a new pod would, under another.
  func startAgain(renamed: Bool) async throws {
    let (name, generation) = state.withLock { ($0.name, $0.generation + 1) }
    let next =
      renamed ? name.prefix { $0 != "." } + ".\(generation)" : Substring(name)
    let child = try await Self.launch(program, String(next), environment)
    state.withLock { state in
      state.past.append(state.child)
      (state.name, state.child, state.generation) = (String(next), child, generation)
    }
  }

  func forgetPast() { state.withLock { $0.past = [] } }

  /// What its process holds; nil if it has ended.
  var usage: Usage? { Usage(of: child.processIdentifier) }

  struct Usage: Sendable {
    let resident: Int
    let descriptors: Int

    init?(of process: Int32) {
      guard
        let pages = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
          .split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
        let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
      else { return nil }
      resident = pages * sysconf(Int32(_SC_PAGESIZE))
      descriptors = files.count
    }
  }
}
