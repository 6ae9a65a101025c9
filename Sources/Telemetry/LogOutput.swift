import Dispatch
import Glibc
import Synchronization

/// Writes lines to a descriptor from a thread of its own.
///
/// A reader of our output that stops reading must not stop the service: what it has not taken is
/// kept up to a limit, then lines are dropped and counted.
public final class LogOutput: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var dropped = 0
    var isScheduled = false
  }

  private let descriptor: CInt
  private let limit: Int
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "log")

  /// - Parameter limit: bytes kept for a slow reader.
  public init(descriptor: CInt = STDOUT_FILENO, limit: Int = 4 << 20) {
    self.descriptor = descriptor
    self.limit = limit
  }

  func write(_ line: String) {
    let schedules = state.withLock { state in
      guard state.pending.count < limit else {
        state.dropped += 1
        return false
      }
      state.pending.append(contentsOf: line.utf8)
      state.pending.append(UInt8(ascii: "\n"))
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if schedules { queue.async { self.drain() } }
  }

  /// Waits until everything is written, at most this long.
  public func flush(atMost seconds: Int = 2) {
    let group = DispatchGroup()
    queue.async(group: group) {}
    _ = group.wait(timeout: .now() + .seconds(seconds))
  }

  private func drain() {
    while true {
      let (bytes, dropped) = state.withLock { state -> ([UInt8], Int) in
        defer {
          state.isScheduled = !state.pending.isEmpty
          state.pending.removeAll(keepingCapacity: false)
          state.dropped = 0
        }
        return (state.pending, state.dropped)
      }
      if bytes.isEmpty { return }
      writeAll(bytes)
      if dropped > 0 {
        writeAll(Array("(\(dropped) log lines dropped: output was blocked)\n".utf8))
      }
    }
  }

  private func writeAll(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return }  // nobody reads any more: there is no one to tell
        rest = rest.dropFirst(count)
      }
    }
  }
}
