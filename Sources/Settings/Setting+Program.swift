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
    let groups =
      SettingsTable.delivery + SettingsTable.redis + SettingsTable.models + SettingsTable.storage
      + SettingsTable.s3 + SettingsTable.google
    let names = groups.map(\.name).filter { !$0.hasSuffix("_ENABLED") }
    return Set(names).union(["HOSTNAME", "TF_HOST", "TF_PORT"]).subtracting([
      "STORAGE_MAX_INPUT_MIB", "STORAGE_UPLOAD_HOSTS", "STORAGE_UPLOAD_CONTENT_TYPE",
    ])
  }()
}
