import Foundation

/// Names the file at hand when the process crashes, and ends it when one file takes a minute.
struct Watch {
  private static nonisolated(unsafe) let seed = UnsafeMutablePointer<Int>.allocate(capacity: 1)
  private static nonisolated(unsafe) let before = UnsafeMutablePointer<sigaction>.allocate(
    capacity: 65)
  private static let longest: UInt32 = 60

  init(format: Format) {
    Self.seed.initialize(to: -1)
    for signal in [SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { signal in
        Watch.report(signal)
        // Whoever was asked before, a sanitizer perhaps, has the last word.
        sigaction(signal, Watch.before + Int(signal), nil)
        if signal == SIGALRM || signal == SIGABRT { raise(signal) }
      }
      sigaction(signal, &action, Self.before + Int(signal))
    }
  }

  func begin(_ seed: Int) {
    Self.seed.pointee = seed
    alarm(Self.longest)
  }

  func end() { alarm(0) }

  /// Only calls that a signal handler may make.
  private static func report(_ signal: Int32) {
    write(signal == SIGALRM ? "a minute is not enough for seed " : "crash with seed ")
    var number = seed.pointee
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      var digit = UInt8(48 + number / divisor)
      Foundation.write(2, &digit, 1)
      number %= divisor
      divisor /= 10
    }
    write("\n")
  }

  private static func write(_ text: StaticString) {
    Foundation.write(2, text.utf8Start, text.utf8CodeUnitCount)
  }
}
