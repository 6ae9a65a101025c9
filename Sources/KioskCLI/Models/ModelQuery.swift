import Serving

/// What is to be found out about one model. TensorFlow Serving has no list of its models, so each is
/// asked for by its name.
struct ModelQuery: Sendable, Equatable {
  let name: String
  /// The settings that name the model, by the version they name.
  var settings: [Int: [String]] = [:]
  /// Versions that the user asked for.
  var versions: Set<Int> = []
  /// Whether the user asked for the model as a whole.
  var isAsked = false

  private var showsAll: Bool { isAsked || !settings.isEmpty }

  /// The models of settings, then those of arguments, each name once.
  ///
  /// - Parameters:
  ///   - settings: names of settings and the models they name.
  ///   - arguments: `name` or `name:version`.
  /// - Throws: ``ServingError`` for an argument that names no model.
  static func list(
    settings: [(name: String, model: ModelName)], arguments: [String]
  ) throws(ServingError) -> [ModelQuery] {
    var queries: [ModelQuery] = []
    func index(of name: String) -> Int {
      if let index = queries.firstIndex(where: { $0.name == name }) { return index }
      queries.append(ModelQuery(name: name))
      return queries.count - 1
    }
    for setting in settings {
      queries[index(of: setting.model.name)].settings[setting.model.version, default: []]
        .append(setting.name)
    }
    for argument in arguments {
      // A version stands in for the check of a name alone.
      let hasVersion = argument.contains(":")
      let model = try ModelName(hasVersion ? argument : argument + ":0")
      if hasVersion {
        queries[index(of: model.name)].versions.insert(model.version)
      } else {
        queries[index(of: model.name)].isAsked = true
      }
    }
    return queries
  }

  /// What to show of the versions that the server has, in order, and those that it should have.
  func rows(found: [ModelVersionStatus]) -> [ModelRow] {
    let required = versions.union(settings.keys)
    var rows = found.filter { showsAll || required.contains($0.version) }.map { status in
      ModelRow(
        model: name, version: status.version, state: "\(status.state)",
        settings: settings[status.version] ?? [], note: status.message)
    }
    for version in required.subtracting(found.map(\.version)) {
      rows.append(
        ModelRow(
          model: name, version: version, state: ModelRow.missing,
          settings: settings[version] ?? [], note: "the server has no such version",
          isFailure: versions.contains(version)))
    }
    if found.isEmpty {
      if rows.isEmpty { rows = [ModelRow(model: name, version: nil, state: ModelRow.missing)] }
      for index in rows.indices {
        rows[index].note = "the server has no such model"
        rows[index].isFailure = isAsked || rows[index].isFailure
      }
    }
    return rows.sorted { ($0.version ?? -1) < ($1.version ?? -1) }
  }
}
