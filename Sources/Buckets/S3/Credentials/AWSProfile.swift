/// What the files that AWS's tools share say under one name.
package struct AWSProfile: Sendable {
  package let name: String
  /// Where it is, or was looked for, for messages.
  package let origin: String
  /// Nil if no file has such a profile.
  private let values: INIFile.Section?
  /// The section that `services` names.
  private let services: INIFile.Section

  /// Reads the profile from the file of credentials and the file of configuration; where both have a
  /// value, the former's counts.
  ///
  /// - Throws: ``BucketError`` `credentials` when a file cannot be read or understood, or when the
  ///   settings name a file or a profile that is not there.
  package init(_ settings: AWSSettings) throws(BucketError) {
    let files = SharedFiles(settings)
    let credentials = try files.read(.credentials)
    let configuration = try files.read(.configuration)
    let name = settings.profile ?? "default"
    let configured =
      configuration.sections["profile \(name)"]
      ?? (name == "default" ? configuration.sections["default"] : nil)
    let stored = credentials.sections[name]
    self.name = name
    origin = "profile \(name) of \(files.path(.credentials)) and \(files.path(.configuration))"
    values =
      configured == nil && stored == nil
      ? nil : (configured ?? [:]).merging(stored ?? [:]) { $1 }
    services =
      values?["services"].flatMap { configuration.sections["services \($0.revealed)"] } ?? [:]
    if values == nil, settings.profile != nil {
      throw BucketError(
        .credentials, "AWS_PROFILE: there is no \(origin)")
    }
  }

  package var exists: Bool { values != nil }

  /// The value, unless it is empty.
  subscript(key: String) -> Secret? {
    values?[key].flatMap { $0.revealed.isEmpty ? nil : $0 }
  }

  /// A value that is no secret.
  func text(_ key: String) -> String? { self[key]?.revealed }

  package var region: String? { text("region") }

  /// For S3.
  package var endpointURL: String? {
    if text("ignore_configured_endpoint_urls")?.lowercased() == "true" { return nil }
    return services["s3.endpoint_url"]?.revealed ?? text("endpoint_url")
  }
}

/// The two files.
private struct SharedFiles {
  enum Kind: String {
    case credentials, configuration

    var variable: String {
      switch self {
      case .credentials: "AWS_SHARED_CREDENTIALS_FILE"
      case .configuration: "AWS_CONFIG_FILE"
      }
    }
  }

  private let settings: AWSSettings

  init(_ settings: AWSSettings) { self.settings = settings }

  func path(_ kind: Kind) -> String {
    switch kind {
    case .credentials: settings.credentialsFile ?? "~/.aws/credentials"
    case .configuration: settings.configurationFile ?? "~/.aws/config"
    }
  }

  func read(_ kind: Kind) throws(BucketError) -> INIFile {
    let isNamed =
      switch kind {
      case .credentials: settings.credentialsFile != nil
      case .configuration: settings.configurationFile != nil
      }
    var path = path(kind)
    if path.hasPrefix("~/") {
      guard let home = settings.homeFolder else {
        guard isNamed else { return INIFile() }
        throw BucketError(.credentials, "\(kind.variable): there is no home folder")
      }
      path = home + path.dropFirst()
    }
    // In a container the home folder may be another user's.
    if !isNamed, !SmallFile.isVisible(path) { return INIFile() }
    guard let bytes = try SmallFile.bytes(path, limit: INIFile.sizeLimit) else {
      guard isNamed else { return INIFile() }
      throw BucketError(.credentials, "\(kind.variable): \(path) is not there")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BucketError(.credentials, "\(path) is not UTF-8 text")
    }
    return try INIFile(text, path: path)
  }
}
