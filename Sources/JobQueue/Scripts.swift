import RedisClient

/// The Lua of `Scripts/`, one file a script.
///
/// What scripts have in common stands in `Scripts/Library/` and is put in front of each that uses it,
/// since a script of Redis cannot load another.
enum Scripts {
  static let claim = script(PackageResources.claim_lua, claiming)
  static let heartbeat = script(PackageResources.heartbeat_lua, ending)
  static let update = script(PackageResources.update_lua, ending)
  static let finish = script(PackageResources.finish_lua, claiming)
  static let fail = script(PackageResources.fail_lua, claiming)
  static let release = script(PackageResources.release_lua, ending)
  static let park = script(PackageResources.park_lua, ending)
  static let cancel = script(PackageResources.cancel_lua, canceling)
  static let recover = script(PackageResources.recover_lua, ending)
  static let reap = script(PackageResources.reap_lua, claiming)
  static let reconcile = script(PackageResources.reconcile_lua, canceling)
  static let requeue = script(PackageResources.requeue_lua, base)
  static let submit = script(PackageResources.submit_lua, base)
  static let expire = script(PackageResources.expire_lua, base)
  static let purge = script(PackageResources.purge_lua, base)

  // Each builds on the one before.
  private static let base = [PackageResources.caller_lua, PackageResources.jobs_lua]
  private static let ending = base + [PackageResources.holding_lua, PackageResources.ending_lua]
  private static let claiming = ending + [PackageResources.claiming_lua]
  private static let canceling = ending + [PackageResources.canceling_lua]

  private static func script(_ body: [UInt8], _ library: [[UInt8]]) -> RedisScript {
    RedisScript(
      (library + [body]).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n"))
  }
}
