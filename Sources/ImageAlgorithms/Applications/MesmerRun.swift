import Arrays

/// Images on their way through a ``MesmerApplication``.
///
/// Each of the model's answers is used up at once, so that a run never holds more than the image and two
/// maps of its size for each compartment that is labelled.
public struct MesmerRun: LabellingRun {
  private let postprocessing: MesmerPostprocessing
  private let originalShape: Shape
  private let batches: TileBatches
  /// For each part that is labelled, in the order of the result's channels.
  private var maps: [Maps]

  /// What the model says of one part of the cells.
  private struct Maps {
    let part: MesmerPart
    var distance: Untiler
    var interior: Untiler
  }

  init(postprocessing: MesmerPostprocessing, originalShape: Shape, batches: TileBatches) {
    self.postprocessing = postprocessing
    self.originalShape = originalShape
    self.batches = batches
    maps = postprocessing.compartment.parts.map {
      Maps(part: $0, distance: Untiler(batches.tiling), interior: Untiler(batches.tiling))
    }
  }

  public var tileCount: Int { batches.tiling.count }
  public var batchCount: Int { batches.count }
  public var answeredTiles: Int { maps.last?.interior.count ?? 0 }
  /// How many images are segmented.
  public var itemCount: Int { originalShape[0] }

  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    try batches.batch(index)
  }

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter heads: the 4 outputs in the order of their names, see
  ///   ``MesmerPostprocessing/labels(_:)``, each `[tile, row, column, channel]`. Those of a compartment
  ///   that is not labelled are not looked at.
  /// - Throws: ``ImageError`` when there are not 4 outputs, or one does not fit what was sent.
  public mutating func accept(_ heads: [AnyNDArray]) throws(ImageError) {
    try MesmerPostprocessing.requireHeads(heads.count)
    for map in maps {
      for head in [map.part.distanceHead, map.part.classesHead] {
        try batches.requireTiles(in: heads[head], after: answeredTiles)
      }
    }
    for index in maps.indices {
      let part = maps[index].part
      try maps[index].distance.add(heads[part.distanceHead].asFloat)
      try maps[index].interior.add(
        heads[part.classesHead].asFloat, channel: MesmerPart.interiorClass)
    }
  }

  /// Turns the model's answers into labels.
  ///
  /// - Parameter progress: called after each item with the number of items done.
  /// - Returns: `[batch, row, column, compartment]` at the size of the image given: whole cells, nuclei,
  ///   or both in this order; 0 is background, labels are 1... per item and compartment.
  /// - Throws: ``ImageError`` when answers are missing or not finite; `CancellationError` between the
  ///   steps.
  public func labels(progress: (_ items: Int) -> Void = { _ in }) throws -> NDArray<Int32> {
    let maps = try self.maps.map {
      (part: $0.part, distance: try $0.distance.finished(), interior: try $0.interior.finished())
    }
    let (rows, columns) = (originalShape[1], originalShape[2])
    let size = rows * columns * maps.count
    return try NDArray(uninitialized: [itemCount, rows, columns, maps.count]) { output in
      for item in 0..<itemCount {
        let labels = try lastAxisJoined(
          maps.map { map in
            try blamingModel {
              try postprocessing.labels(
                of: map.part, distance: map.distance.slice(item..<item + 1),
                interior: map.interior.slice(item..<item + 1))
            }
          })
        // Both together: the number of channels decides which pixels are taken.
        try resizedLabels(labels, rows: rows, columns: columns).withUnsafeBuffer {
          _ = output[(item * size)...].update(fromContentsOf: $0)
        }
        progress(item + 1)
      }
    }
  }
}
