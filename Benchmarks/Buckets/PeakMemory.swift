import Buckets
import Foundation
import TestSupport

/// The most memory that a process has while it moves 2 GiB.
enum PeakMemory {
  static func measure(_ stage: Stage) async throws {
    let name = "huge.bin"
    let file = try stage.makeFile(name, byteCount: 2 << 30)
    let up = try await run(.up, stage, file.path)
    try FileManager.default.removeItem(at: file)
    let down = try await run(.down, stage, "output/\(name)")
    row("2 GiB up, peak memory", "\(up) MiB", "", "(goal: under 200)")
    row("2 GiB down, peak memory", "\(down) MiB", "", "(goal: under 200)")
  }

  private static func run(
    _ direction: Move.Direction, _ stage: Stage, _ subject: String
  ) async throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let server = stage.server
    let child = try await ChildProcess.start(
      program,
      [
        "move", direction.rawValue, subject, stage.folder.path, server.bucket, server.endpoint,
        server.accessKeyID, server.secretAccessKey,
      ])
    let exit = try await child.waitForExit(within: .seconds(300))
    let status = await child.status
    guard exit == .code(0) else { throw TestSupportError("\(direction): \(status.output)") }
    return status.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// What a process of its own does: `move up FILE FOLDER BUCKET ENDPOINT ID SECRET`, or
/// `move down KEY …`.
struct Move {
  enum Direction: String { case up, down }

  private let direction: Direction
  private let words: [String]

  init?(_ arguments: some Collection<String>) {
    let words = Array(arguments)
    guard words.count == 8, words[0] == "move", let direction = Direction(rawValue: words[1]) else {
      return nil
    }
    (self.direction, self.words) = (direction, Array(words.dropFirst(2)))
  }

  /// Prints the peak of this process' memory, in MiB.
  func run() async throws {
    let bucket = try Stage.bucket(words[2], at: words[3], id: words[4], secret: words[5])
    switch direction {
    case .up:
      _ = try await bucket.upload(URL(filePath: words[0]), to: UploadDestination()) { _ in }
    case .down:
      let folder = URL(filePath: words[1])
      let file = try await bucket.download(ObjectKey(words[0]), into: folder, limit: .max) { _ in }
      try FileManager.default.removeItem(at: file)
    }
    await bucket.close()
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    guard let match = status.firstMatch(of: #/VmHWM:\s+(\d+) kB/#), let peak = Int(match.1) else {
      throw TestSupportError("/proc/self/status has no VmHWM")
    }
    print(peak / 1024)
  }
}
