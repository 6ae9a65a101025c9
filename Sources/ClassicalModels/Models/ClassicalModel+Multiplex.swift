import Arrays
import ImageAlgorithms

extension ClassicalModel {
  /// Whole cells and nuclei of tissues, in tiles of equalised brightness: the first channel shows
  /// nuclei, the second membranes or the insides of cells.
  ///
  /// The outputs are those of Mesmer in the order of their names: for whole cells, then for nuclei, the
  /// distance to the middle, and classes of pixels as in ``PixelClasses``.
  static let multiplex = ClassicalModel(
    "MultiplexSegmentation", version: 9,
    about: "whole cells and nuclei of tissues, by nuclei and membranes",
    inputs: [Tensor(name: "input_0", extents: [256, 256, 2])],
    outputs: [(0, 1), (1, 3), (2, 1), (3, 3)].map { index, channels in
      Tensor(name: "semantic_\(index)", extents: [256, 256, .fixed(channels)])
    }
  ) { inputs in
    let nuclei = try tissueNucleiFinder.objects(in: inputs[0].channel(0))
    let cells = try WholeCellFinder().cells(around: nuclei, in: inputs[0].channel(1))
    return try heads(of: cells) + heads(of: nuclei)
  }

  /// Nuclei of tissues, 8 to 30 pixels of 0.5 µm wide and close to each other.
  private static let tissueNucleiFinder: ObjectFinder = {
    var finder = ObjectFinder()
    finder.blobSize = 3
    finder.leastArea = 25
    return finder
  }()

  /// The distance to the middle and the classes of pixels, `[row, column, channel]` each.
  ///
  /// What follows smooths the interior by two pixels and takes what is over 0.2: so it begins at the edge
  /// of an object.
  private static func heads(of labels: NDArray<Int32>) throws -> [NDArray<Float>] {
    let heads = try ObjectHeads(of: labels, margin: 0.4)
    let classes = NDArray<Float>(uninitialized: labels.shape + [3]) { output in
      labels.withUnsafeBuffer { labels in
        heads.interior.withUnsafeBuffer { interior in
          for i in labels.indices {
            let rest = 1 - interior[i]
            output[3 * i + PixelClasses.interior] = interior[i]
            output[3 * i + PixelClasses.edge] = labels[i] > 0 ? rest : 0
            output[3 * i + PixelClasses.background] = labels[i] > 0 ? 0 : rest
          }
        }
      }
    }
    return [heads.peaks.expandingDimensions(at: 2), classes]
  }
}
