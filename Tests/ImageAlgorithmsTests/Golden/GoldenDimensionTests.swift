import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenDimensionTests {
  @Test(arguments: Golden.cases("image_dimensions_to_bxyc"))
  func `axes are ordered as the reference orders them`(table: GoldenCase) throws {
    for row in table.values["rows"].list {
      let shape = row["in_shape"].integers
      let image = NDArray<Float>(shape: shape, elements: (0..<shape.reduce(1, *)).map(Float.init))
      let order = row["dim_order"].text
      if order.isEmpty {
        // The reference fails; here the order is inferred.
        #expect(try batchRowColumnChannel(image, order: order).order == "XY")
        continue
      }
      guard row["raises"] == .null else {
        let error = #expect(throws: ImageError.self) {
          try batchRowColumnChannel(image, order: order)
        }
        // With what to do about it behind.
        let text = try #require(row["raises"].list.last?.text)
        #expect(error?.description.hasPrefix(text + "; ") == true)
        continue
      }
      let result = try batchRowColumnChannel(image, order: order)
      #expect(result.image.shape == row["out_shape"].integers)
      #expect(result.image.elements == row["out_values"].integers.map(Float.init))
      #expect(result.order == order)
    }
  }

  @Test(arguments: Golden.cases("validate_model_input"))
  func `images are validated as the reference validates them`(table: GoldenCase) throws {
    for row in table.values["rows"].list {
      let shape = row["in_shape"].integers
      let count = shape.reduce(1, *)
      let image = NDArray<Float>(shape: shape, elements: (0..<count).map(Float.init))
      let modelShape = row["model_shape"].text.split(separator: ",").compactMap { Int($0) }
      let channels = row["channels"] == .null ? nil : row["channels"].integers
      let requirement = ModelInputRequirement(
        modelShape: modelShape, queue: table.parameters["queue"].text,
        maximumWidth: try #require(table.parameters["MAX_IMAGE_WIDTH"].integer),
        maximumHeight: try #require(table.parameters["MAX_IMAGE_HEIGHT"].integer))

      #expect(
        [detectDimensionOrder(shape: shape, modelRank: modelShape.count)]
          == row["detect_dimension_order"].list.map(\.text))
      guard row["raises"] == .null else {
        let error = #expect(throws: ImageError.self) {
          try requirement.validated(image, channels: channels)
        }
        #expect(error?.description == row["raises"].list.last?.text)
        continue
      }
      let result = try requirement.validated(image, channels: channels)
      #expect(result.shape == row["out_shape"].integers)
      let first = row["out_first_values"].integers.map(Float.init)
      #expect(Array(result.elements.prefix(first.count)) == first)
      if shape.reduce(1, *) < 50_000 {
        let checksum = result.elements.enumerated().reduce(0.0) {
          $0 + Double($1.element) * Double($1.offset % 97)
        }
        #expect(checksum == row["out_checksum"].number)
      }
    }
  }

  @Test(arguments: Golden.cases("get_batch_size"))
  func `batches are as large as in the reference, and never empty`(table: GoldenCase) throws {
    for row in table.values["rows"].list {
      let size = modelBatchSize(
        modelShapes: row["shapes"].list.map(\.integers),
        maximumBatchSize: try #require(table.parameters["TF_MAX_BATCH_SIZE"].integer),
        minimumModelSize: try #require(table.parameters["TF_MIN_MODEL_SIZE"].integer))
      #expect(size == max(1, try #require(row["batch_size"].integer)))
    }
  }
}
