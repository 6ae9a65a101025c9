import ArgumentParser
import ServiceSetup
import Serving
import Settings

struct ModelsCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Show models of the model server, their state and inputs.",
    discussion: """
      Without names: those of NUCLEAR_MODEL, CYTOPLASM_MODEL and PHASE_MODEL. TensorFlow Serving has \
      no list of its models.

      Example: kiosk models Mesmer SpotDetection:3
      """)

  @Argument(help: ArgumentHelp("Further models.", valueName: "name[:version]"))
  var models: [String] = []
  @OptionGroup(title: "Connection") var server: ModelServerOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  private static let settingNames = ["NUCLEAR_MODEL", "CYTOPLASM_MODEL", "PHASE_MODEL"]
  /// For a person in front of a terminal: shorter than what services allow each other.
  private static let timeout: Duration = .seconds(5)

  func validate() throws {
    do { _ = try ModelQuery.list(settings: [], arguments: models) } catch {
      throw ValidationError(error.description)
    }
  }

  func run(_ console: Console) async throws {
    let values = SettingValues(flags: server.settings, environment: ProcessEnvironment.variables)
    let relevant = ["TF_", "GRPC_"] + Self.settingNames
    let problems = values.problems.filter { problem in relevant.contains { problem.hasPrefix($0) } }
    guard problems.isEmpty else {
      throw KioskError(.usage, problems.joined(separator: "\n"))
    }
    var configuration = ServingConfiguration(from: values)
    configuration.timeout = min(configuration.timeout, Self.timeout)
    configuration.waitTimeout = .zero
    configuration.maximumRetries = 0
    let client = ServingClient(configuration)
    let settings = try Self.settingNames.map { name in
      (name: name, model: try ModelName(values.text(name) ?? ""))
    }
    var rows: [ModelRow] = []
    for query in try ModelQuery.list(settings: settings, arguments: models) {
      for var row in query.rows(found: try await versions(of: query.name, client)) {
        try await describe(&row, client)
        rows.append(row)
      }
    }
    if console.isJSON {
      for row in rows { console.result(row.jsonLine.text) }
    } else {
      console.table(rows.table)
    }
    if rows.contains(where: \.isFailure) { throw KioskError(.jobFailed) }
  }

  private func versions(
    of name: String, _ client: ServingClient
  ) async throws -> [ModelVersionStatus] {
    do {
      return try await client.statusOfAllVersions(ofModelNamed: name)
    } catch let error as ServingError where error.code == .notFound {
      return []
    }
  }

  /// Adds what the model takes and gives, if it can be asked.
  private func describe(_ row: inout ModelRow, _ client: ServingClient) async throws {
    guard let version = row.version, row.state == "\(ModelVersionStatus.State.available)" else {
      return
    }
    do {
      row.metadata = try await client.metadata(of: ModelName(name: row.model, version: version))
    } catch let error as ServingError { row.note = "\(error)" }
  }
}
