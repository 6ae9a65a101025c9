import Arrays
import CTensorFlowServing

extension ServingClient {
  public func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection, context: CallContext
  ) async throws -> [String: AnyNDArray] {
    let plan = BatchPlan(
      inputs, maximumBatch: memory[model].maximumBatch,
      maximumBytes: configuration.maximumRequestBytes)
    if let rows = plan.rows, plan.rowsPerCall < rows {
      return try await predictParts(plan.ranges, model, inputs, outputs, context)
    }
    do {
      return try await retrying(model: model, context: context) { timeout in
        try await predictOnce(
          model, inputs, outputs, batchSize: plan.rows, timeout: timeout, context: context)
      }
    } catch let error as ServingError where error.code == .invalidArgument {
      guard let maximum = BatchPlan.maximumBatch(inRefusal: error.message), let rows = plan.rows,
        maximum < rows
      else { throw error }
      learn(maximum, of: model)
      return try await predict(model: model, inputs: inputs, outputs: outputs, context: context)
    }
  }

  private func learn(_ maximum: Int, of model: ModelName) {
    var isNews = false
    memory.learn(model) { facts in
      isNews = maximum < facts.maximumBatch ?? .max
      if isNews { facts.maximumBatch = maximum }
    }
    guard isNews else { return }
    logger.info(
      "The model server takes smaller batches than configured; splitting",
      metadata: [
        "event": "batch_limit", "model": "\(model.name)", "model_version": "\(model.version)",
        "limit": "\(maximum)",
      ])
  }

  /// Sends parts of a batch, as many at once as allowed, and joins what comes back.
  private func predictParts(
    _ ranges: [Range<Int>], _ model: ModelName, _ inputs: [String: AnyNDArray],
    _ outputs: OutputSelection, _ context: CallContext
  ) async throws -> [String: AnyNDArray] {
    var parts = [[String: AnyNDArray]](repeating: [:], count: ranges.count)
    try await withThrowingTaskGroup(of: (Int, [String: AnyNDArray]).self) { group in
      // No more tasks than places: a batch may have thousands of parts.
      var next = 0
      func addTask() {
        guard next < ranges.count else { return }
        let (index, range) = (next, ranges[next])
        next += 1
        group.addTask {
          let part = inputs.mapValues { $0.slice(range) }
          let result = try await self.predict(
            model: model, inputs: part, outputs: outputs, context: context)
          for (name, array) in result where array.shape.first != range.count {
            throw ServingError(
              code: .internal, operation: .predict, model: model,
              message:
                "output \"\(name)\" of \(range.count) images has shape "
                + "\(array.shape.tupleDescription) and cannot be joined to a batch",
              server: self.configuration.target)
          }
          return (index, result)
        }
      }
      for _ in 0..<max(configuration.maximumInFlight, 1) { addTask() }
      for try await (index, part) in group {
        parts[index] = part
        addTask()
      }
    }
    var joined: [String: AnyNDArray] = [:]
    for name in parts[0].keys {
      do {
        joined[name] = try AnyNDArray.concatenated(parts.compactMap { $0[name] })
      } catch {
        throw ServingError(
          code: .internal, operation: .predict, model: model,
          message: "output \"\(name)\": \(error)", server: configuration.target)
      }
    }
    return joined
  }

  /// Sends one request when the model has a place free, and reads its reply.
  private func predictOnce(
    _ model: ModelName, _ inputs: [String: AnyNDArray], _ outputs: OutputSelection,
    batchSize: Int?, timeout: Duration, context: CallContext
  ) async throws -> [String: AnyNDArray] {
    func showLoad() {
      let load = limiter.load(model)
      metrics.loaded(
        model, isKnown: memory[model].isKnown, limit: load.limit, inFlight: load.inFlight)
    }
    defer { showLoad() }
    return try await limiter.withPlace(for: model) {
      showLoad()
      let start = clock.now
      var code = StatusCode.ok
      defer {
        metrics.called(
          model, isKnown: memory[model].isKnown, code: code, duration: clock.now - start,
          batchSize: batchSize)
      }
      do {
        let result = try await exchange(model, inputs, outputs, timeout, context)
        limiter.succeeded(model)
        return result
      } catch let error as ServingError {
        code = error.code
        if code == .deadlineExceeded || code == .resourceExhausted { limiter.overloaded(model) }
        throw error
      } catch {
        code = .cancelled
        throw error
      }
    }
  }

  private func exchange(
    _ model: ModelName, _ inputs: [String: AnyNDArray], _ outputs: OutputSelection,
    _ timeout: Duration, _ context: CallContext
  ) async throws -> [String: AnyNDArray] {
    let filter = filter(for: outputs, of: model)
    let reply: WireMessage
    do {
      reply = try await send(model, inputs, filter, timeout, context)
    } catch let error as ServingError
      where error.code == .invalidArgument && !filter.isEmpty && outputs == .firstAndLast
      && BatchPlan.maximumBatch(inRefusal: error.message) == nil
    {
      // The model may have been replaced by one with other outputs than those remembered.
      memory.learn(model) { $0.outputs = nil }
      reply = try await send(model, inputs, [], timeout, context)
    }
    context.onAnswer()
    metrics.transferred(
      sent: inputs.values.reduce(0) { $0 + $1.byteCount }, received: reply.byteCount)
    do {
      return try read(reply, of: model, outputs, isComplete: filter.isEmpty)
    } catch {
      throw self.error(error, .predict, model)
    }
  }

  private func send(
    _ model: ModelName, _ inputs: [String: AnyNDArray], _ filter: [String], _ timeout: Duration,
    _ context: CallContext
  ) async throws -> WireMessage {
    try await call(.predict, model: model, timeout: timeout, context: context) {
      channel, options, error in
      model.withShimModel { model in
        withCStrings(filter) { filter in
          return withLentTensors(inputs) { tensors in
            tfs_predict_start(
              channel, model, tensors.baseAddress, tensors.count, filter, filter.count, options,
              error)
          }
        }
      }
    }
  }

  /// What to ask the server for, so that it leaves the rest out: known names only, since it refuses
  /// others.
  private func filter(for outputs: OutputSelection, of model: ModelName) -> [String] {
    switch outputs {
    case .all: []
    case .named(let names): names.sorted()
    case .firstAndLast: memory[model].outputs.map(outputs.select) ?? []
    }
  }

  private func read(
    _ reply: WireMessage, of model: ModelName, _ outputs: OutputSelection, isComplete: Bool
  ) throws(ShimError) -> [String: AnyNDArray] {
    let message = try PredictMessage(reply, kind: TFS_PREDICT_RESPONSE)
    memory.learn(model) { facts in
      facts.isKnown = true
      if isComplete { facts.outputs = message.names.sorted() }
    }
    let wanted = Set(outputs.select(from: message.names))
    if case .named(let names) = outputs, let missing = names.subtracting(wanted).sorted().first {
      throw ShimError(
        code: .notFound,
        message: "the reply has no output \"\(missing)\", only: "
          + message.names.sorted().prefix(20).joined(separator: ", "))
    }
    var budget = configuration.maximumReplyBytes
    var arrays: [String: AnyNDArray] = [:]
    for (index, name) in message.names.enumerated() where wanted.contains(name) {
      arrays[name] = try message.array(at: index, budget: &budget)
    }
    return arrays
  }
}

extension ModelName {
  func withShimModel<Result>(_ body: (tfs_model) -> Result) -> Result {
    name.withCString { body(tfs_model(name: $0, version: Int64(version))) }
  }
}
