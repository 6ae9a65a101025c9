import CTensorFlowServing

extension ServingClient {
  /// What a model takes and gives, from memory, the shared cache or the server.
  public func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
    do {
      // Retried per caller, around the joined request, so that each is told of its own pauses.
      let (metadata, source) = try await retrying(model: model, context: context) { timeout in
        try await store.metadata(of: model) { [self] in
          try await requestMetadata(of: model, timeout: timeout, context: context)
        }
      }
      metrics.metadataRead(from: source)
      return metadata
    } catch {
      metrics.metadataRead(from: .error)
      throw error
    }
  }

  private func requestMetadata(
    of model: ModelName, timeout: Duration, context: CallContext
  ) async throws -> ModelMetadata {
    let reply = try await call(.metadata, model: model, timeout: timeout, context: context) {
      channel, options, error in
      model.withShimModel { tfs_metadata_start(channel, $0, options, error) }
    }
    do {
      let metadata = try ModelMetadata(reply: reply)
      memory.learn(model) { $0.isKnown = true }
      return metadata
    } catch {
      throw self.error(error, .metadata, model)
    }
  }

  /// The state of a model on the server, without any retry.
  ///
  /// - Throws: ``ServingError``; `NOT_FOUND` for an unknown model or version.
  public func status(
    of model: ModelName, context: CallContext = CallContext()
  ) async throws -> [ModelVersionStatus] {
    try await status(of: model, named: model, context)
  }

  /// The state of each version that the server has of a model, without any retry.
  ///
  /// - Throws: ``ServingError``; `NOT_FOUND` for an unknown model.
  public func statusOfAllVersions(
    ofModelNamed name: String, context: CallContext = CallContext()
  ) async throws -> [ModelVersionStatus] {
    try await status(of: ModelName(name: name, version: -1), named: nil, context)
  }

  /// - Parameter named: the model for errors.
  private func status(
    of model: ModelName, named: ModelName?, _ context: CallContext
  ) async throws -> [ModelVersionStatus] {
    let reply = try await call(
      .status, model: named, timeout: configuration.timeout, context: context
    ) { channel, options, error in
      model.withShimModel { tfs_status_start(channel, $0, options, error) }
    }
    do {
      return try ModelVersionStatus.read(reply)
    } catch {
      throw self.error(error, .status, named)
    }
  }

  /// Asks the standard health service, which TensorFlow Serving offers only when told to.
  ///
  /// - Parameter service: empty for the whole server.
  /// - Returns: whether it serves.
  /// - Throws: ``ServingError``; `UNIMPLEMENTED` without the service, `NOT_FOUND` for an unknown name.
  public func isHealthy(service: String = "", timeout: Duration = .seconds(5)) async throws -> Bool
  {
    let reply = try await call(.health, model: nil, timeout: timeout, context: CallContext()) {
      channel, options, error in
      service.withCString { tfs_health_start(channel, $0, options, error) }
    }
    do {
      var status: Int32 = 0
      _ = try checked { tfs_health_read(reply.handle, &status, $0) }
      return status == 1
    } catch {
      throw self.error(error, .health, nil)
    }
  }
}
