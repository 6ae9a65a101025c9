import ArgumentParser
import Glibc

struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Print a script that completes commands in a shell.",
    discussion: """
      bash: source <(kiosk completions bash)
      zsh:  kiosk completions zsh > "${fpath[1]}/_kiosk"
      fish: kiosk completions fish > ~/.config/fish/completions/kiosk.fish
      """)

  @Argument(
    help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"),
    completion: .list(["bash", "zsh", "fish"]))
  var shell: String

  func validate() throws {
    if CompletionShell(rawValue: shell) == nil {
      throw ValidationError("\"\(shell)\" is not bash, zsh or fish")
    }
  }

  func run() {
    guard let shell = CompletionShell(rawValue: shell) else { return }
    Console.write(Kiosk.completionScript(for: shell) + "\n", to: STDOUT_FILENO)
  }
}
