/// One job on one line of a terminal: name, stage, bar, percent, elapsed and remaining time.
struct ProgressLine {
  var name: String
  var progress: JobProgress
  var elapsed: Duration
  /// Time since a consumer took the job, for the estimate.
  var working: Duration?

  /// Columns with the blank beside each.
  private static let stageWidth = 22
  private static let percentWidth = 5
  private static let timeWidth = 9
  private static let remainingWidth = 13
  private static let largestBar = 30

  func text(width: Int, style: TerminalStyle) -> String {
    // A full line would make some terminals wrap.
    let width = width - 1
    let fixed = Self.stageWidth + Self.percentWidth + Self.timeWidth + Self.remainingWidth
    let rest = width - fixed
    guard rest >= 16 else { return narrowText(width: width, style: style) }
    let bar = min(Self.largestBar, rest * 2 / 5)
    let name = name.printable.fitted(to: rest - bar - 1, ellipsis: style.ellipsis)
    return name + " " + stage(style) + self.bar(bar, style) + percent + time + remaining(style)
  }

  /// Without a bar, for terminals that have no room for one.
  private func narrowText(width: Int, style: TerminalStyle) -> String {
    let tail = " " + progress.text + percent + time
    guard width - tail.columns >= 4 else {
      return tail.shortened(to: max(width, 0), ellipsis: style.ellipsis)
    }
    return name.printable.fitted(to: width - tail.columns, ellipsis: style.ellipsis) + tail
  }

  private func stage(_ style: TerminalStyle) -> String {
    let text = progress.text.fitted(to: Self.stageWidth - 1, ellipsis: style.ellipsis) + " "
    switch progress.stage {
    case .done: return style.colored(text, .green)
    case .failed: return style.colored(text, .red)
    case .queued, .waitingForModelServer: return style.colored(text, .yellow)
    default: return text
    }
  }

  private func bar(_ width: Int, _ style: TerminalStyle) -> String {
    let filled = width * min(max(progress.percent ?? 0, 0), 100) / 100
    let (full, empty) = style.hasUnicode ? ("█", "░") : ("#", "-")
    return style.colored(String(repeating: full, count: filled), .cyan)
      + style.colored(String(repeating: empty, count: width - filled), .dim)
  }

  private var percent: String {
    let text = progress.percent.map { "\(min(max($0, 0), 100))%" } ?? ""
    return String(repeating: " ", count: Self.percentWidth - text.count) + text
  }

  private var time: String {
    let text = elapsed.clockText.shortened(to: Self.timeWidth - 1, ellipsis: "")
    return String(repeating: " ", count: max(0, Self.timeWidth - text.count)) + text
  }

  /// Nothing until there is enough to tell from.
  private func remaining(_ style: TerminalStyle) -> String {
    guard case .working = progress.stage, let working, working > .seconds(1),
      let percent = progress.percent, (5..<100).contains(percent)
    else { return "" }
    let left = working * (100 - percent) / percent
    let text = " ~\(left.clockText) left".shortened(to: Self.remainingWidth, ellipsis: "")
    return style.colored(text, .dim)
  }
}

extension Duration {
  /// `0:07`, `12:34` or `1:02:03`.
  var clockText: String {
    let seconds = max(0, components.seconds)
    func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    let rest = padded(seconds % 60)
    return hours > 0 ? "\(hours):\(padded(minutes)):\(rest)" : "\(minutes):\(rest)"
  }

  /// `0.42 s`, `12.3 s` or `3 min 5 s`.
  var shortText: String {
    let seconds = Double(components.seconds) + Double(components.attoseconds) / 1e18
    switch seconds {
    case ..<10: return "\((seconds * 100).rounded() / 100) s"
    case ..<120: return "\((seconds * 10).rounded() / 10) s"
    default: return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    }
  }
}
