import CTensorFlowServing

extension ModelMetadata {
  /// Reads a GetModelMetadataResponse.
  package init(reply: WireMessage) throws(ShimError) {
    var tensors: [(isOutput: Bool, key: String, tensor: Tensor)] = []
    _ = try checked { error in
      withUnsafeMutablePointer(to: &tensors) { tensors in
        tfs_metadata_read(
          reply.handle, "serving_default", tensors,
          { user, isOutput, tensor in
            let tensor = tensor.pointee
            let rank = Int(tensor.rank)
            let shape = UnsafeBufferPointer(start: tensor.shape, count: max(rank, 0)).map {
              Int($0)
            }
            user?.assumingMemoryBound(to: [(isOutput: Bool, key: String, tensor: Tensor)].self)
              .pointee.append(
                (
                  isOutput, String(cString: tensor.key),
                  Tensor(
                    graphName: String(cString: tensor.graph_name),
                    type: TensorType(rawValue: tensor.dtype), shape: rank < 0 ? nil : shape)
                ))
          }, error)
      }
    }
    func named(_ wanted: Bool) -> [String: Tensor] {
      Dictionary(
        tensors.filter { $0.isOutput == wanted }.map { ($0.key, $0.tensor) },
        uniquingKeysWith: { _, last in last })
    }
    self.init(inputs: named(false), outputs: named(true))
  }
}

extension ModelVersionStatus {
  /// Reads a GetModelStatusResponse.
  package static func read(_ reply: WireMessage) throws(ShimError) -> [ModelVersionStatus] {
    var versions: [ModelVersionStatus] = []
    _ = try checked { error in
      withUnsafeMutablePointer(to: &versions) { versions in
        tfs_status_read(
          reply.handle, versions,
          { user, status in
            let status = status.pointee
            user?.assumingMemoryBound(to: [ModelVersionStatus].self).pointee.append(
              ModelVersionStatus(
                version: Int(status.version), state: State(rawValue: status.state) ?? .unknown,
                code: StatusCode(rawValue: status.error_code),
                message: String(cString: status.error_message)))
          }, error)
      }
    }
    return versions
  }
}
