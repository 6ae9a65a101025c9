import JobQueue
import RedisClient
import Serving

/// Shares what models' inputs look like with consumers of all kinds, the Python ones too.
struct RedisMetadataCache: MetadataCache {
  let redis: RedisClient
  /// `METADATA_EXPIRE_TIME`, at least a second: Redis counts in whole ones here.
  let expiry: Duration

  private static let field = "metadata"

  func metadata(of model: ModelName) async throws -> String? {
    try await redis.send(
      RedisCommand("HGET", key(of: model), Self.field, idempotent: true)
    ).decode()
  }

  func keepMetadata(_ text: String, of model: ModelName) async throws {
    let key = key(of: model)
    try await redis.transaction([
      RedisCommand("HSET", key, Self.field, text, idempotent: true),
      RedisCommand("EXPIRE", key, max(1, Int(expiry.components.seconds)), idempotent: true),
    ])
  }

  private func key(of model: ModelName) -> String {
    Keys.metadata(model: model.name, version: String(model.version))
  }
}
