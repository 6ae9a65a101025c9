import RedisClient

/// The Lua of `Scripts/`, one file a script.
enum Scripts {
  static let claim = script(PackageResources.claim_lua)
  static let update = script(PackageResources.update_lua)
  static let finish = script(PackageResources.finish_lua)
  static let release = script(PackageResources.release_lua)
  static let recover = script(PackageResources.recover_lua)
  static let heartbeat = script(PackageResources.heartbeat_lua)
  static let submit = script(PackageResources.submit_lua)

  private static func script(_ bytes: [UInt8]) -> RedisScript {
    RedisScript(String(decoding: bytes, as: UTF8.self))
  }
}
