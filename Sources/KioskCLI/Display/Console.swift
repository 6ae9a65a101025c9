import Glibc
import Synchronization

/// Where the program writes: results to standard output, all else to standard error.
///
/// On a terminal the last lines are live: they are redrawn in place, and whatever else is written
/// goes above them.
final class Console: Sendable {
  let style: TerminalStyle
  let isJSON: Bool
  let isQuiet: Bool
  let isVerbose: Bool
  private let live = Mutex<[String]>([])

  init(_ options: OutputOptions, environment: [String: String]) {
    style = TerminalStyle(
      isTerminal: isatty(STDERR_FILENO) == 1, allowsColor: !options.noColor,
      environment: environment)
    isJSON = options.json
    isQuiet = options.quiet
    isVerbose = options.verbose
  }

  /// Columns and rows of the terminal, which its user may change at any time.
  static var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), size.ws_row > 0 ? Int(size.ws_row) : 24)
  }

  /// A line of the result.
  func result(_ line: String) { above { Self.write(line + "\n", to: STDOUT_FILENO) } }

  /// Results in columns, no wider than the terminal; in a file or pipe as wide as they are.
  func table(_ table: Table) {
    var size = winsize()
    let isShown =
      isatty(STDOUT_FILENO) == 1
      && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    result(table.text(width: isShown ? Int(size.ws_col) : nil, ellipsis: style.ellipsis))
  }

  /// A remark, left out with `--quiet`.
  func note(_ line: String) {
    if !isQuiet { above { Self.write(line + "\n", to: STDERR_FILENO) } }
  }

  /// Something that went wrong.
  func error(_ line: String) {
    above { Self.write(style.colored("error: ", .red) + line + "\n", to: STDERR_FILENO) }
  }

  /// Replaces the live lines, each shorter than the terminal is wide.
  func setLive(_ lines: [String]) {
    live.withLock { live in
      guard lines != live else { return }
      Self.write(Self.erase(live.count) + Self.drawn(lines), to: STDERR_FILENO)
      live = lines
    }
  }

  /// Leaves the live lines where they are; what follows is written below them.
  func endLive() { live.withLock { $0 = [] } }

  private func above(_ write: () -> Void) {
    live.withLock { live in
      if !live.isEmpty { Self.write(Self.erase(live.count), to: STDERR_FILENO) }
      write()
      if !live.isEmpty { Self.write(Self.drawn(live), to: STDERR_FILENO) }
    }
  }

  private static func drawn(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  /// Moves to the first live line and clears from there to the end of the screen.
  private static func erase(_ count: Int) -> String {
    count == 0 ? "" : "\u{1B}[\(count)A\r\u{1B}[J"
  }

  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN {
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&ready, 1, -1)
          continue
        }
        if count <= 0 { return }  // nobody reads any more: there is no one to tell
        rest = rest.dropFirst(count)
      }
    }
  }
}
