extension Setting {
  /// What a setting means something to.
  public enum Program: String, Sendable, CaseIterable {
    case consumer
    case kiosk
  }

  /// Programs that go by the setting; those that do not never read it.
  public var programs: [Program] {
    Self.namesOfTool.contains(name) ? [.consumer, .kiosk] : [.consumer]
  }

  /// The tool shares queues and bucket with the consumers, and asks the same model server.
  private static let namesOfTool: Set<String> = {
    let groups = SettingsTable.delivery + SettingsTable.redis + SettingsTable.models
    let names = groups.map(\.name).filter { !$0.hasSuffix("_ENABLED") }
    return Set(names).union([
      "HOSTNAME", "STORAGE_BUCKET", "STORAGE_PUBLIC_BASE_URL", "STORAGE_FILE_FSYNC", "TF_HOST",
      "TF_PORT",
    ])
  }()
}
