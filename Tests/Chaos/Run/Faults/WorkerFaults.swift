import Foundation
import TestSupport

/// What happens to the processes of workers.
enum WorkerFault: String, CaseIterable, Sendable {
  case kill = "workers killed"
  case killAndRename = "workers killed and replaced by other pods"
  case freeze = "workers frozen past their lease"
  case blink = "workers frozen briefly"
  case terminate = "workers terminated"
  case terminateTwice = "workers terminated twice"

  /// How often it comes.
  static let deck: [WorkerFault] = [
    .kill, .kill, .kill, .killAndRename, .freeze, .freeze, .blink, .terminate, .terminate,
    .terminateTwice,
  ]

  private var endsProcess: Bool { self != .freeze && self != .blink }

  func strike(_ stage: Stage, _ dice: Dice) async {
    guard let worker = stage.fleet.take(dice, sparingLasting: endsProcess) else { return }
    defer { worker.giveBack() }
    let child = worker.child
    stage.tally.add(rawValue)
    do {
      switch self {
      case .kill, .killAndRename:
        await child.send(SIGKILL)
        try await child.waitForExit()
        if dice.isTrue(50) { try await Task.sleep(for: dice.milliseconds(0...2500)) }
      case .freeze, .blink:
        await child.send(SIGSTOP)
        try? await Task.sleep(
          for: self == .freeze ? dice.milliseconds(2500...4500) : dice.milliseconds(50...900))
        await child.send(SIGCONT)
        return
      case .terminate, .terminateTwice:
        let hasStarted = await child.status.standardOutput.contains("\"started\"")
        await child.send(SIGTERM)
        if self == .terminateTwice {
          try? await Task.sleep(for: dice.milliseconds(0...300))
          await child.send(SIGTERM)
        }
        let exit = try await child.waitForExit(within: .seconds(60))
        // A process that has just begun has nothing to end in order.
        stage.failures.expect(
          exit == .code(0) || !hasStarted && exit == .signal(SIGTERM),
          "\(worker.name) was terminated: \(exit)")
      }
      try await worker.startAgain(renamed: self == .killAndRename)
    } catch {
      stage.failures.add("\(rawValue): \(worker.name): \(error)")
    }
  }
}
