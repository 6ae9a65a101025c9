import Arrays

/// How many inputs of a model fit into one request.
///
/// A model of `minimumModelSize` squared with one channel takes `maximumBatchSize` at once; larger
/// ones take fewer in proportion to their area and channels.
///
/// - Parameters:
///   - modelShapes: shape of each input of the model, batch first, channels last; -1 is unknown.
///   - maximumBatchSize: `TF_MAX_BATCH_SIZE`.
///   - minimumModelSize: `TF_MIN_MODEL_SIZE`, pixels.
/// - Returns: at least 1.
/// - Source: kiosk-redis-consumer 0.17.2, `get_batch_size`, which answers 0 for large models and then
///   fails; here they are sent one by one.
public func modelBatchSize(
  modelShapes: [Shape], maximumBatchSize: Int = 64, minimumModelSize: Int = 128
) -> Int {
  var ratio = 1.0
  for shape in modelShapes {
    for size in shape.dropFirst().dropLast() where size > 0 {
      ratio *= Double(size) / Double(max(minimumModelSize, 1))
    }
    ratio *= Double(shape.last ?? 1)
  }
  let size = (Double(maximumBatchSize) / abs(ratio)).rounded(.down)
  return size < Double(Int32.max) ? max(Int(size), 1) : Int(Int32.max)
}
