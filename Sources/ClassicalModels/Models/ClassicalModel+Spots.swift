import Arrays

extension ClassicalModel {
  /// Spots of single molecules, in tiles of 0...1.
  ///
  /// `classification` are the probabilities of a pixel to be none (0) and to have the middle of a spot
  /// (1), `offset_regression` how many rows (0) and columns (1) that middle is away from it.
  static let spots = ClassicalModel(
    "SpotDetection", version: 3, about: "spots of a few pixels, and where between pixels they are",
    inputs: [Tensor(name: "input_1", extents: [128, 128, 1])],
    outputs: ["classification", "offset_regression"].map {
      Tensor(name: $0, extents: [128, 128, 2])
    }
  ) { inputs in
    let tile = inputs[0].channel(0)
    let heads = SpotHeads(of: try SpotFinder().spots(in: tile), shape: tile.shape)
    return [heads.classes, heads.offsets]
  }
}
