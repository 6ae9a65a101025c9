import Arrays
import CModelServer
import Serving

/// A call between its arrival and its answer.
struct PendingCall: @unchecked Sendable {  // one task owns it; the shim's functions are thread-safe
  private let handle: OpaquePointer

  init(_ handle: OpaquePointer) { self.handle = handle }

  /// Runs `body` when the caller is no longer interested.
  ///
  /// Call it before the answer can be given, since the answer ends the handle.
  func onCancel(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Callback(body)).toOpaque()
    tfs_server_call_watch(handle, box) { box, cancelled in
      guard let box else { return }
      let callback = Unmanaged<Callback>.fromOpaque(box).takeRetainedValue()
      if cancelled { callback.body() }
    }
  }

  private final class Callback: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  // MARK: Reading

  func read(budget: Int) throws(ShimError) -> ModelServerCall {
    let method = String(cString: tfs_server_call_method(handle))
    let wire = WireMessage(owning: try checked { tfs_server_call_message(handle, $0) }!)
    return ModelServerCall(
      method: method, request: try request(method, wire, budget: budget), headers: headers,
      timeLeft: .milliseconds(tfs_server_call_time_left_ms(handle)), wire: wire)
  }

  private func request(
    _ method: String, _ wire: WireMessage, budget: Int
  ) throws(ShimError) -> ModelServerCall.Request {
    switch method {
    case "/tensorflow.serving.PredictionService/Predict":
      return .predict(try predict(wire, budget: budget))
    case "/tensorflow.serving.PredictionService/GetModelMetadata":
      return .metadata(try model(wire, isMetadata: true))
    case "/tensorflow.serving.ModelService/GetModelStatus":
      return .status(try model(wire, isMetadata: false))
    case "/grpc.health.v1.Health/Check":
      var service = ""
      _ = try checked { error in
        withUnsafeMutablePointer(to: &service) { service in
          tfs_health_request_read(
            wire.handle, service,
            { user, name in
              user?.assumingMemoryBound(to: String.self).pointee = String(cString: name)
            }, error)
        }
      }
      return .health(service: service)
    case "/tensorflow.serving.PredictionService/Classify",
      "/tensorflow.serving.PredictionService/Regress",
      "/tensorflow.serving.PredictionService/MultiInference",
      "/tensorflow.serving.ModelService/HandleReloadConfigRequest",
      "/grpc.health.v1.Health/Watch":
      throw ShimError(code: .unimplemented, message: "\(method) is not offered")
    default:
      return .other
    }
  }

  private func predict(_ wire: WireMessage, budget: Int) throws(ShimError) -> PredictCall {
    let message = try PredictMessage(wire, kind: TFS_PREDICT_REQUEST)
    var inputs: [String: AnyNDArray] = [:]
    var budget = budget
    for (index, name) in message.names.enumerated() {
      inputs[name] = try message.array(at: index, budget: &budget)
    }
    let version = tfs_predict_version(message.handle)
    return PredictCall(
      model: ModelSelection(
        name: String(cString: tfs_predict_model(message.handle)),
        version: version < 0 ? nil : Int(version)),
      signature: String(cString: tfs_predict_signature(message.handle)), inputs: inputs,
      outputFilter: (0..<tfs_predict_filter_count(message.handle)).map {
        String(cString: tfs_predict_filter(message.handle, $0))
      })
  }

  private func model(_ wire: WireMessage, isMetadata: Bool) throws(ShimError) -> ModelSelection {
    var model = ModelSelection(name: "", version: nil)
    _ = try checked { error in
      withUnsafeMutablePointer(to: &model) { model in
        tfs_model_request_read(
          wire.handle, isMetadata, model,
          { user, name, version in
            user?.assumingMemoryBound(to: ModelSelection.self).pointee = ModelSelection(
              name: String(cString: name), version: version < 0 ? nil : Int(version))
          }, error)
      }
    }
    return model
  }

  private var headers: [String: String] {
    var headers: [String: String] = [:]
    withUnsafeMutablePointer(to: &headers) { headers in
      tfs_server_call_headers(handle, headers) { user, key, keyLength, value, valueLength in
        let key = String(
          decoding: UnsafeRawBufferPointer(start: key, count: keyLength), as: UTF8.self)
        let value = String(
          decoding: UnsafeRawBufferPointer(start: value, count: valueLength), as: UTF8.self)
        user?.assumingMemoryBound(to: [String: String].self).pointee[key] = value
      }
    }
    return headers
  }

  // MARK: Answering

  /// Ends the call. Once.
  func answer(_ reply: ModelServerReply) {
    switch reply {
    case .outputs(let outputs, let model, let encoding):
      model.withModel { model in
        withLentTensors(outputs) { tensors in
          tfs_server_call_reply_tensors(
            handle, model, tensors.baseAddress, tensors.count, encoding == .typed)
        }
      }
    case .metadata(let metadata, let model):
      model.withModel { model in
        withSignature(metadata.inputs) { inputs in
          withSignature(metadata.outputs ?? [:]) { outputs in
            tfs_server_call_reply_metadata(
              handle, model, inputs.baseAddress, inputs.count, outputs.baseAddress, outputs.count)
          }
        }
      }
    case .status(let versions):
      withCStrings(versions.map(\.message)) { messages in
        let versions = zip(versions, messages).map { version, message in
          tfs_version_status(
            version: Int64(version.version), state: version.state.rawValue,
            error_code: version.code.rawValue, error_message: message)
        }
        tfs_server_call_reply_status(handle, versions, versions.count)
      }
    case .health(let isServing):
      tfs_server_call_reply_health(handle, isServing ? 1 : 2)
    case .bytes(let bytes):
      tfs_server_call_reply_bytes(handle, bytes, bytes.count)
    case .failure(let code, let text):
      tfs_server_call_fail(handle, code.rawValue, text)
    }
  }

  private func withSignature(
    _ tensors: [String: ModelMetadata.Tensor],
    _ body: (UnsafeBufferPointer<tfs_signature_tensor>) -> Void
  ) {
    let sorted = tensors.sorted { $0.key < $1.key }
    withCStrings(sorted.flatMap { [$0.key, $0.value.graphName] }) { strings in
      let shapes = sorted.flatMap { ($0.value.shape ?? []).map(Int64.init) }
      shapes.withUnsafeBufferPointer { shapes in
        var start = 0
        let described = sorted.enumerated().map { index, entry in
          let rank = entry.value.shape?.count
          defer { start += rank ?? 0 }
          return tfs_signature_tensor(
            key: strings[2 * index], graph_name: strings[2 * index + 1],
            dtype: entry.value.type.rawValue, shape: shapes.baseAddress.map { $0 + start },
            rank: rank.map(Int32.init) ?? -1)
        }
        described.withUnsafeBufferPointer(body)
      }
    }
  }
}

extension ModelSelection {
  fileprivate func withModel(_ body: (tfs_model) -> Void) {
    name.withCString { body(tfs_model(name: $0, version: Int64(version ?? -1))) }
  }
}
