import Arrays

/// The models that tell what an image shows, from tiles of raw pixels.
extension ClassicalModel {
  private static let rawTile = [Tensor(name: "input_1", extents: [216, 216, 1])]

  /// How much an image is to be resized so that its nuclei are as large as the segmentation's models
  /// expect: 0.5 for one whose nuclei are twice as large; 1 where there are none.
  static let scale = ClassicalModel(
    "ScaleDetection", version: 1, about: "how much to resize an image, by the size of its nuclei",
    inputs: rawTile, outputs: [Tensor(name: "tensor_product_1", extents: [1])]
  ) { inputs in
    let scale = NucleusSize.scale(of: TileContent(inputs[0].channel(0)))
    return [NDArray(shape: [1], repeating: scale)]
  }

  /// Scores for what is shown: 0 nuclei, 1 whole cells, 2 cells in phase contrast. They sum to 1.
  static let label = ClassicalModel(
    "LabelDetection", version: 1, about: "whether an image shows nuclei, whole cells or phase",
    inputs: rawTile, outputs: [Tensor(name: "softmax", extents: [3])]
  ) { inputs in
    let scores = ImageKind(of: TileContent(inputs[0].channel(0))).scores
    return [NDArray(shape: [3], elements: scores)]
  }
}
