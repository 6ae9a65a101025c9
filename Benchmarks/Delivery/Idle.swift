import Foundation
import TestSupport

/// What a worker costs that has nothing to do.
enum Idle {
  private static let time: Duration = .seconds(60)

  static func measure(_ stage: Stage) async throws {
    let pod = try await stage.pod("pod")
    // Past what happens once after the start.
    try await Task.sleep(for: .seconds(3))
    try await stage.redis.command("CONFIG", "RESETSTAT")
    let ticks = processorTicks(of: pod)
    try await Task.sleep(for: time)
    let used = processorTicks(of: pod) - ticks
    let calls = try await commandCalls(stage)
    // The worker's own connections send these; everything else is called by its scripts.
    let sent = ["evalsha", "eval", "blmove", "ping", "subscribe", "info"]
      .reduce(0) { $0 + calls[$1, default: 0] }
    let minute = time / .seconds(60)
    row(
      "idle worker: CPU", "\((Double(used) / (time / .seconds(1)) * 100).rounded() / 100) %",
      "< 0.5 %")
    row("idle worker: round trips per minute", "\(Int(Double(sent) / minute))", "-")
    row(
      "idle worker: commands per minute, calls inside scripts included",
      "\(Int(Double(calls.values.reduce(0, +)) / minute))", "-")
    row("idle worker: resident memory", "\(residentMemory(of: pod)) MiB", "<= 40 MiB")
    try await pod.stop(grace: .zero)
  }

  /// Clock ticks, of which there are 100 in a second.
  private static func processorTicks(of pod: ChildProcess) -> Int {
    let text =
      (try? String(contentsOfFile: "/proc/\(pod.processIdentifier)/stat", encoding: .utf8)) ?? ""
    // After the name in brackets comes field 3; user and system time are 14 and 15.
    let fields = text.drop { $0 != ")" }.split(separator: " ").dropFirst().compactMap { Int($0) }
    return fields.count > 11 ? fields[10] + fields[11] : 0
  }

  private static func residentMemory(of pod: ChildProcess) -> Int {
    let text =
      (try? String(contentsOfFile: "/proc/\(pod.processIdentifier)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
      / 1024
  }

  private static func commandCalls(_ stage: Stage) async throws -> [String: Int] {
    let text: String = try await stage.redis.command("INFO", "commandstats").decode()
    var calls: [String: Int] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let match = line.firstMatch(of: #/^cmdstat_([a-z|]+):calls=(\d+)/#) else { continue }
      // What the benchmark itself sends.
      if match.1 == "config|resetstat" || match.1 == "info" { continue }
      calls[String(match.1)] = Int(match.2)
    }
    return calls
  }
}
