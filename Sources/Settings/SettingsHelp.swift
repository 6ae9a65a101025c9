extension SettingsTable {
  /// The settings as the lower part of `--help`.
  public static var helpText: String {
    all.map { setting in
      let value = setting.defaultText.isEmpty ? "" : " (\(setting.defaultText))"
      return "  \(setting.flag), \(setting.name)\(value)\n      \(setting.help)"
    }.joined(separator: "\n")
  }

  /// The settings as the README's table.
  public static var markdownTable: String {
    let rows = all.map { setting in
      "| `\(setting.name)` | \(setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`") "
        + "| \(setting.programs.map(\.rawValue).joined(separator: ", ")) | \(setting.help) |"
    }
    return (["| name | default | for | meaning |", "|---|---|---|---|"] + rows).joined(
      separator: "\n")
  }
}
