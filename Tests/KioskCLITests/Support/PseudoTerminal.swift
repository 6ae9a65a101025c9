@preconcurrency import Dispatch
import Foundation
import Glibc
import Synchronization
import TestSupport

/// A terminal that a test looks at.
final class PseudoTerminal: Sendable {
  /// For the program's output.
  let path: String
  let columns: Int
  private let master: Int32
  private let slave: Int32
  private let source: any DispatchSourceRead
  private let bytes: Received

  /// Dispatch's handler holds this and not the terminal.
  private final class Received: Sendable {
    let bytes = Mutex<[UInt8]>([])
  }

  /// `TIOCGPTN` and `TIOCSPTLCK`, macros that Swift does not see.
  private static let getNumber: UInt = 0x8004_5430
  private static let setLock: UInt = 0x4004_5431

  init(columns: Int = 80, rows: Int = 24) throws {
    self.columns = columns
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var number: UInt32 = 0
    var isLocked: Int32 = 0
    guard master >= 0, ioctl(master, Self.getNumber, &number) == 0,
      ioctl(master, Self.setLock, &isLocked) == 0
    else { throw TestSupportError("no pseudo-terminal: \(errno)") }
    path = "/dev/pts/\(number)"
    // While nobody has the other side open, reading fails.
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    guard slave >= 0, ioctl(master, UInt(TIOCSWINSZ), &size) == 0,
      fcntl(master, F_SETFL, O_NONBLOCK) == 0
    else { throw TestSupportError("no pseudo-terminal: \(errno)") }
    let received = Received()
    bytes = received
    source = DispatchSource.makeReadSource(fileDescriptor: master)
    source.setEventHandler { [master] in
      var block = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(master, &block, block.count)
        if count <= 0 { return }
        received.bytes.withLock { $0.append(contentsOf: block[..<count]) }
      }
    }
    source.setCancelHandler { [master, slave] in
      close(master)
      close(slave)
    }
    source.resume()
  }

  deinit { source.cancel() }

  /// All that was written so far.
  var text: String { bytes.bytes.withLock { String(decoding: $0, as: UTF8.self) } }

  /// Writes what a person at the terminal types.
  func type(_ text: String) { _ = text.withCString { write(master, $0, strlen($0)) } }

  /// Starts a program whose output and errors go to the terminal.
  ///
  /// - Parameter readsInput: whether its input comes from there, too.
  func start(
    _ program: String, _ arguments: [String], environment: [String: String], in folder: String,
    readsInput: Bool = false
  )
    async throws -> ChildProcess
  {
    let input = readsInput ? "<\(path) " : ""
    return try await ChildProcess.start(
      "/bin/sh", ["-c", "exec \"$@\" \(input)>\(path) 2>&1", "sh", program] + arguments,
      environment: environment, workingDirectory: folder)
  }

  /// Waits until the terminal shows something.
  func wait(for text: String) async throws {
    try await eventually("the terminal shows \"\(text)\"") { [self] in screen.text.contains(text) }
  }

  var screen: Screen { Screen(text, columns: columns) }
}

/// What a terminal shows after the control sequences of a program.
struct Screen {
  /// Lines, those scrolled away included.
  private(set) var lines: [[Character]] = [[]]
  /// Whether a line was longer than the terminal is wide at any time.
  private(set) var hasWrapped = false
  /// Numbers of all colours and attributes that were set.
  private(set) var attributes: Set<String> = []

  var text: String {
    lines.map { String($0).trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
  }

  init(_ text: String, columns: Int) {
    var row = 0
    var column = 0
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\r": column = 0
      case "\n":
        row += 1
        if row == lines.count { lines.append([]) }
      case "\u{1B}":
        guard rest.first == "[" else { continue }
        rest.removeFirst()
        let parameters = String(String.UnicodeScalarView(rest.prefix { $0.value < 0x40 }))
        rest = rest.dropFirst(parameters.unicodeScalars.count)
        switch rest.popFirst() {
        case "A": row = max(0, row - (Int(parameters) ?? 1))
        case "J":
          lines.removeSubrange((row + 1)...)
          lines[row] = Array(lines[row].prefix(column))
        case "m": attributes.insert(parameters)
        default: break
        }
      default:
        while lines[row].count <= column { lines[row].append(" ") }
        lines[row][column] = Character(scalar)
        column += 1
        if column >= columns { hasWrapped = true }
      }
    }
  }
}
