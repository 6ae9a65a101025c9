/// What a model takes and gives, from its signature `serving_default`.
public struct ModelMetadata: Hashable, Sendable {
  /// One input or output.
  public struct Tensor: Hashable, Sendable {
    /// Its name in the graph, such as `serving_default_input_0:0`.
    public let graphName: String
    public let type: TensorType
    /// Extents, slowest axis first; -1 is unknown, nil means that not even the rank is known.
    public let shape: [Int]?

    public init(graphName: String = "", type: TensorType, shape: [Int]?) {
      self.graphName = graphName
      self.type = type
      self.shape = shape
    }
  }

  /// By the name used in requests.
  public let inputs: [String: Tensor]
  /// By the name used in replies; nil when the metadata came from a shared cache, which holds inputs
  /// only.
  public let outputs: [String: Tensor]?

  public init(inputs: [String: Tensor], outputs: [String: Tensor]? = nil) {
    self.inputs = inputs
    self.outputs = outputs
  }
}
