import RedisClient

extension Round {
  /// Removes what this round's clients and the test itself have left, so that the next one begins
  /// with nothing and what comes back later is a stranger to it.
  func clear() async throws {
    for key in try await stage.redis.allKeys() {
      let name = String(decoding: key, as: UTF8.self)
      let job = name.dropping("kiosk:job:") ?? name.dropping("kiosk:log:") ?? name
      if ledger[job] != nil || name.hasPrefix("junk:") || name.hasPrefix("kiosk:dedup:") {
        try await stage.redis.command("DEL", key)
      }
    }
    for object in stage.results { stage.remove(object) }
    stage.receiver.forget()
    for worker in stage.fleet.workers { worker.forgetPast() }
  }
}
