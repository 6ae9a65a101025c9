import Retrying
import Synchronization

/// Metadata shared by several processes: for each model a text that expires.
public protocol MetadataCache: Sendable {
  /// The text kept for a model; nil if there is none.
  func metadata(of model: ModelName) async throws -> String?
  /// Keeps a text for a model, for the configured time.
  func keepMetadata(_ text: String, of model: ModelName) async throws
}

/// Metadata in memory, in front of the shared cache, in front of the server. Equal requests at the
/// same time become one.
final class MetadataStore: Sendable {
  private struct Entry {
    let metadata: ModelMetadata
    let expires: Duration
  }

  private let cache: (any MetadataCache)?
  private let expiry: Duration
  private let clock: AnyClock
  private let entries = Mutex<[ModelName: Entry]>([:])
  let flights = SingleFlight<ModelName, (ModelMetadata, PredictMetrics.MetadataSource)>()

  init(cache: (any MetadataCache)?, expiry: Duration, clock: AnyClock) {
    self.cache = cache
    self.expiry = expiry
    self.clock = clock
  }

  /// The metadata of a model and where it came from.
  ///
  /// - Parameter server: asks the server.
  func metadata(
    of model: ModelName, server: @escaping @Sendable () async throws -> ModelMetadata
  ) async throws -> (ModelMetadata, PredictMetrics.MetadataSource) {
    let now = clock.now
    if let entry = entries.withLock({ $0[model] }), entry.expires > now {
      return (entry.metadata, .memory)
    }
    return try await flights.run(model) { [self] in
      // The cache only saves time: without it, or with nonsense in it, the server is asked.
      if let text = try? await cache?.metadata(of: model), let cached = ModelMetadata(json: text) {
        remember(cached, of: model)
        return (cached, .redis)
      }
      let metadata = try await server()
      remember(metadata, of: model)
      try? await cache?.keepMetadata(metadata.json, of: model)
      return (metadata, .server)
    }
  }

  private func remember(_ metadata: ModelMetadata, of model: ModelName) {
    let now = clock.now
    entries.withLock { entries in
      entries = entries.filter { $0.value.expires > now }
      entries[model] = Entry(metadata: metadata, expires: now + expiry)
    }
  }
}
