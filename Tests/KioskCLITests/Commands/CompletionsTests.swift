import Foundation
import TestSupport
import Testing

@Suite(.programs) struct CompletionsTests {
  private func script(_ shell: String, in folder: TemporaryFolder) async throws -> String {
    let path = folder.file("script")
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["completions", shell])
    #expect(try await program.waitForExit() == .code(0))
    let text = await program.status.standardOutput
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  /// What bash offers for the end of a command line.
  private static let completing = """
    source "$1"
    COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=($2)
    [[ $2 == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _kiosk kiosk "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\\n' "${COMPREPLY[@]}"
    """

  @Test(arguments: [
    ("kiosk su", ["submit"]), ("kiosk completions ", ["bash", "fish", "zsh"]),
    ("kiosk run --ov", ["--overlay"]), ("kiosk submit a.tif -t se", ["segmentation"]),
    ("kiosk run im", ["image1.tif", "images"]),
    ("kiosk run image1.tif image", ["image1.tif", "images"]),
    ("kiosk fetch key --output im", ["images"]),
  ])
  func `bash completes commands, options, files and folders`(line: String, expected: [String])
    async throws
  {
    let folder = try TemporaryFolder()
    let script = try await script("bash", in: folder)
    let work = try TemporaryFolder()
    try Data().write(to: URL(filePath: work.file("image1.tif")))
    try FileManager.default.createDirectory(
      atPath: work.file("images"), withIntermediateDirectories: true)
    let output = try await runTool(
      "bash", ["-c", Self.completing, "bash", script, line], workingDirectory: work.path)
    #expect(output.split(separator: "\n").map(String.init).sorted() == expected)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `the script has no mistakes and is for kiosk`(shell: String) async throws {
    let folder = try TemporaryFolder()
    let script = try await script(shell, in: folder)
    let text = try String(contentsOf: URL(filePath: script), encoding: .utf8)
    let registration = [
      "bash": "complete -o filenames -F _kiosk kiosk", "zsh": "#compdef kiosk",
      "fish": "complete -c 'kiosk'",
    ]
    #expect(text.contains(try #require(registration[shell])))
    // Shells that are not installed cannot judge.
    let isInstalled = ["/bin", "/usr/bin", "/usr/local/bin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(shell)")
    }
    if isInstalled { try await runTool(shell, ["-n", script]) }
  }

  @Test func `another shell gives 2`() async throws {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["completions", "tcsh"])
    #expect(try await program.waitForExit() == .code(2))
    let status = await program.status
    #expect(status.standardError.contains("tcsh"))
    #expect(status.standardOutput == "")
  }
}
