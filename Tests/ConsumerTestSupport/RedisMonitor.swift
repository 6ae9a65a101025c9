import JobQueue
import TestSupport

/// Sees every command that a `redis-server` is sent, and so each status, however soon it is followed by
/// the next.
struct RedisMonitor: Sendable {
  private let process: ChildProcess

  static func start(_ server: RedisServer) async throws -> RedisMonitor {
    let process = try await ChildProcess.start(
      "redis-cli", ["-h", "127.0.0.1", "-p", String(server.port), "monitor"])
    do {
      try await process.wait(forOutput: "OK")
    } catch {
      if await process.status.exit == .code(127) {
        throw TestSupportError(
          "redis-cli is not installed; install it, on Debian by: apt-get install redis-tools")
      }
      throw error
    }
    return RedisMonitor(process: process)
  }

  func stop() async throws { try await process.stop() }

  /// Each status that was written to a job's hash, in order.
  func statuses(of key: String) async -> [JobStatus] {
    Self.statuses(of: key, in: await process.status.standardOutput)
  }

  /// Waits until the end of a job has been seen.
  func waitForEnd(of key: String) async throws {
    try await process.wait("the job's end") { status in
      Self.statuses(of: key, in: status.standardOutput).last?.isFinal == true
    }
  }

  private static func statuses(of key: String, in output: String) -> [JobStatus] {
    output.split(separator: "\n").flatMap { line -> [JobStatus] in
      let words = words(of: line)
      guard words.count > 3, words[0].uppercased() == "HSET", words[1] == key else { return [] }
      return stride(from: 2, to: words.count - 1, by: 2).compactMap {
        words[$0] == Field.status ? JobStatus(rawValue: words[$0 + 1]) : nil
      }
    }
  }

  /// The words of a line such as `1.2 [0 lua] "HSET" "key" "a \"word\""`.
  static func words(of line: Substring) -> [String] {
    var words: [String] = []
    var bytes = line.utf8.makeIterator()
    while let byte = bytes.next() {
      guard byte == UInt8(ascii: "\"") else { continue }
      var word: [UInt8] = []
      while let byte = bytes.next(), byte != UInt8(ascii: "\"") {
        guard byte == UInt8(ascii: "\\"), let escape = bytes.next() else {
          word.append(byte)
          continue
        }
        switch escape {
        case UInt8(ascii: "x"):
          let digits = [bytes.next(), bytes.next()].compactMap(\.self)
          word.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 16) ?? escape)
        case UInt8(ascii: "n"): word.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "r"): word.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "t"): word.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "a"): word.append(7)
        case UInt8(ascii: "b"): word.append(8)
        default: word.append(escape)
        }
      }
      words.append(String(decoding: word, as: UTF8.self))
    }
    return words
  }
}
