/// The settings in force: flags before environment before defaults.
public struct SettingValues: Sendable {
  private let values: [String: String]
  /// Every value that cannot be used, one line each.
  public private(set) var problems: [String] = []

  /// What a command line holds besides settings.
  public struct Arguments: Sendable {
    /// Values given by flag, by name of the setting.
    public var settings: [String: String] = [:]
    /// Words that begin with `--` and name no setting.
    public var others: [String] = []
    public var problems: [String] = []
  }

  /// Splits `--redis-host x` and `--redis-host=x` from the rest of a command line.
  public static func parse(_ arguments: [String]) -> Arguments {
    let byFlag = Dictionary(uniqueKeysWithValues: SettingsTable.all.map { ($0.flag, $0) })
    var result = Arguments()
    var rest = arguments[...]
    while let word = rest.popFirst() {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let setting = byFlag[String(parts[0])] else {
        result.others.append(word)
        continue
      }
      if parts.count == 2 {
        result.settings[setting.name] = String(parts[1])
      } else if let value = rest.popFirst() {
        result.settings[setting.name] = value
      } else {
        result.problems.append("\(setting.flag) needs a value")
      }
    }
    return result
  }

  public init(flags: [String: String] = [:], environment: [String: String]) {
    var values: [String: String] = [:]
    var problems: [String] = []
    for setting in SettingsTable.all {
      // An empty variable is an unset one: charts write "" for what was not given.
      let given = flags[setting.name] ?? environment[setting.name].flatMap { $0.isEmpty ? nil : $0 }
      let text = given ?? setting.defaultText
      if text.isEmpty { continue }
      if let problem = setting.problem(with: text) {
        problems.append(
          "\(setting.name): \(setting.isSecret ? "the value is not usable" : problem)")
        values[setting.name] = setting.defaultText
      } else {
        values[setting.name] = text
      }
    }
    self.values = values
    self.problems = problems
  }

  /// Notes another problem, of a kind that the table cannot know.
  public mutating func report(_ name: String, _ problem: String) {
    problems.append("\(name): \(problem)")
  }

  /// Nil if unset and without a default.
  public func text(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  public func integer(_ name: String) -> Int { value(name, Setting.integer) }

  public func number(_ name: String) -> Double { value(name) { Double($0) } }

  public func boolean(_ name: String) -> Bool { value(name, Setting.boolean) }

  public func duration(_ name: String) -> Duration { .seconds(number(name)) }

  /// A duration where 0 stands for no limit.
  public func limit(_ name: String) -> Duration? {
    number(name) == 0 ? nil : duration(name)
  }

  private func value<Value>(_ name: String, _ convert: (String) -> Value?) -> Value {
    guard let value = values[name].flatMap(convert) else {
      preconditionFailure("\(name) is not in the table of settings, or read as another type")
    }
    return value
  }

  /// `NAME=value` lines of all settings, secrets as `***`.
  public var listing: [String] {
    SettingsTable.all.map { setting in
      let value = values[setting.name] ?? ""
      return "\(setting.name)=\(setting.isSecret && !value.isEmpty ? "***" : value)"
    }
  }
}
