import JobQueue
import TestSupport
import Testing

@testable import KioskCLI

@Suite struct ProgressLineTests {
  private func style(color: Bool = false, unicode: Bool = true) -> TerminalStyle {
    TerminalStyle(
      isTerminal: true, allowsColor: color,
      environment: ["TERM": "xterm", "LANG": unicode ? "de_DE.utf8" : "C"])
  }

  @Test func `a line has name, stage, bar, percent, elapsed and remaining time`() {
    let line = ProgressLine(
      name: "nuclei.tif", progress: JobProgress(stage: .working(.predicting), percent: 50),
      elapsed: .seconds(75), working: .seconds(60))
    #expect(
      line.text(width: 80, style: style())
        == "nuclei.tif        predicting            ██████░░░░░░  50%     1:15 ~1:00 left")
  }

  @Test(arguments: 0..<200) func `no line is wider than its terminal`(seed: Int) {
    var random = SeededGenerator(seed: seed)
    let width = Int.random(in: 1...200, using: &random)
    let alphabet: [Character] = ["a", "ä", "細", "胞", " ", "\u{1B}", "🧫", "e\u{301}", "."]
    let name = String(
      (0..<Int.random(in: 0...80, using: &random)).map { _ in
        alphabet.randomElement(using: &random) ?? "a"
      })
    let stages: [JobProgress.Stage] = [
      .uploading, .queued(position: Int.random(in: 1...100_000, using: &random)),
      .waitingForModelServer, .working(JobStatus(rawValue: name)), .downloading, .done, .failed,
    ]
    let line = ProgressLine(
      name: name,
      progress: JobProgress(
        stage: stages[Int.random(in: 0..<stages.count, using: &random)],
        percent: Bool.random(using: &random) ? Int.random(in: -5...200, using: &random) : nil),
      elapsed: .seconds(Int.random(in: 0...1_000_000, using: &random)),
      working: .seconds(Int.random(in: 0...1_000_000, using: &random)))
    let text = line.text(width: width, style: style(unicode: Bool.random(using: &random)))
    #expect(text.columns <= max(width - 1, 0), "\(width): \(text)")
    #expect(!text.contains("\u{1B}"))
  }

  @Test func `there is no estimate before there is something to tell from`() {
    for (stage, percent, working) in [
      (.working(.predicting), 2, 60), (.queued(position: 3), 50, 60), (.done, 100, 60),
      (.working(.predicting), 50, 0),
    ] as [(JobProgress.Stage, Int, Int)] {
      let line = ProgressLine(
        name: "a.tif", progress: JobProgress(stage: stage, percent: percent),
        elapsed: .seconds(60), working: .seconds(working))
      #expect(!line.text(width: 100, style: style()).contains("left"), "\(stage)")
    }
  }

  @Test(arguments: [
    (0, "0:00"), (59, "0:59"), (61, "1:01"), (3599, "59:59"), (3600, "1:00:00"),
    (-5, "0:00"),
  ])
  func `times are shown as on a clock`(seconds: Int, text: String) {
    #expect(Duration.seconds(seconds).clockText == text)
  }

  @Test(arguments: [
    ("细胞", 4), ("a", 1), ("", 0), ("e\u{301}", 1), ("🧫", 2), ("한글", 4), ("ｱ", 1), ("Ａ", 2),
  ])
  func `wide characters take two columns`(text: String, columns: Int) {
    #expect(text.columns == columns)
  }

  @Test(
    arguments: [
      (["TERM": "xterm", "LC_ALL": "C.UTF-8"], true, true),
      (["TERM": "xterm", "NO_COLOR": "1", "LANG": "en_US.UTF-8"], false, true),
      (["TERM": "xterm", "LC_ALL": "C", "LANG": "en_US.UTF-8"], true, false),
      (["TERM": "dumb", "LANG": "en_US.UTF-8"], false, true),
    ] as [([String: String], Bool, Bool)])
  func `environment decides on colour and characters`(
    environment: [String: String], hasColor: Bool, hasUnicode: Bool
  ) {
    let style = TerminalStyle(isTerminal: true, allowsColor: true, environment: environment)
    #expect(style.hasColor == hasColor)
    #expect(style.hasUnicode == hasUnicode)
    #expect(!TerminalStyle(isTerminal: true, allowsColor: false, environment: environment).hasColor)
  }
}
