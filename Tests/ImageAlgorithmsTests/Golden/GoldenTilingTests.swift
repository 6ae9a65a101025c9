import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenTilingTests {
  @Test(arguments: Golden.cases("spline_window"))
  func `the window is that of the reference`(golden: GoldenCase) throws {
    let window = splineWindow(
      size: try #require(golden.parameters["window_size"].integer),
      overlapLeft: try #require(golden.parameters["overlap_left"].integer),
      overlapRight: try #require(golden.parameters["overlap_right"].integer))
    let expected = try golden.array("output.npy").values
    #expect(window.count == expected.count)
    #expect(zip(window, expected).allSatisfy { abs($0 - $1) <= 1e-12 })
  }

  @Test(arguments: Golden.cases("tile_input_padding"))
  func `small images are padded and cropped again`(golden: GoldenCase) throws {
    let image = try golden.array("input.npy").floats
    let model = golden.parameters["model_image_shape"].integers
    let padding = Padding(
      rows: image.shape[1], columns: image.shape[2], modelRows: model[0], modelColumns: model[1])
    let info = golden.parameters["info"]
    #expect([padding.top, padding.bottom] == info["x_pad"].integers)
    #expect([padding.left, padding.right] == info["y_pad"].integers)
    let result = try padded(image, by: padding)
    #expect(try result == golden.array("output.npy").floats)
    #expect(try cropped(result, by: padding) == golden.array("untiled.npy").floats)
  }

  @Test(arguments: Golden.cases("tile_input_padding"))
  func `an image no larger than the model becomes one padded tile`(golden: GoldenCase) throws {
    let image = try golden.array("input.npy").floats
    let model = golden.parameters["model_image_shape"].integers
    let tiling = try Tiling(shape: image.shape, modelRows: model[0], modelColumns: model[1])
    let tiles = try tiling.tiles(0..<tiling.count, of: image)
    if image.shape[1] <= model[0], image.shape[2] <= model[1] {
      #expect(try tiles == golden.array("output.npy").floats)
    } else {
      // The reference sends a size the model does not take.
      #expect(tiles.shape == [tiling.count] + model)
    }
    var untiler = Untiler(tiling)
    try untiler.add(tiles)
    #expect(try untiler.finished() == image)
  }

  @Test(arguments: Golden.cases("tile_image"))
  func `tiles are cut as in the reference`(golden: GoldenCase) throws {
    let image = try golden.array("input.npy").floats
    let model = golden.parameters["model_input_shape"].integers
    let tiling = try Tiling(
      shape: image.shape, modelRows: model[0], modelColumns: model[1],
      edge: golden.parameters["pad_mode"].text == "constant" ? .zero : .reflect)
    #expect(
      try tiling.tiles(0..<tiling.count, of: image) == golden.array("output.npy").floats)
    // In pieces of 5 as well.
    let expected = try golden.array("output.npy").floats
    for start in stride(from: 0, to: tiling.count, by: 5) {
      let range = start..<min(start + 5, tiling.count)
      #expect(try tiling.tiles(range, of: image) == expected.slice(range))
    }

    let info = golden.values["tiles_info"]
    #expect(info["stride_x"].integer == tiling.rows.stride)
    #expect(info["stride_y"].integer == tiling.columns.stride)
    #expect(info["pad_x"].integers == [tiling.rows.before, tiling.rows.after])
    #expect(info["pad_y"].integers == [tiling.columns.before, tiling.columns.after])
    let padded = [tiling.rows.paddedLength, tiling.columns.paddedLength]
    #expect(Array(info["image_shape"].integers[1...2]) == padded)
  }

  @Test(arguments: Golden.cases("untile_image"))
  func `tiles are put together as in the reference`(golden: GoldenCase) throws {
    let info = golden.values["tiles_info"]
    let padded = info["image_shape"].integers
    let tiles = try golden.array("tiles.npy").floats
    let expected = try golden.array("output.npy").floats
    let tiling = try Tiling(
      shape: [
        padded[0], padded[1] - info["pad_x"].integers.reduce(0, +),
        padded[2] - info["pad_y"].integers.reduce(0, +), padded[3],
      ],
      modelRows: tiles.shape[1], modelColumns: tiles.shape[2])
    for channel in 0..<tiles.shape[3] {
      var untiler = Untiler(tiling)
      for start in stride(from: 0, to: tiling.count, by: 5) {
        try untiler.add(tiles.slice(start..<min(start + 5, tiling.count)), channel: channel)
      }
      #expect(try untiler.finished().channel(0) == expected.channel(channel))
    }
    // All at once, and all but the first.
    for first in 0..<min(tiles.shape[3], 2) {
      let channels = tiles.shape[3] - first
      var untiler = Untiler(tiling, channels: channels)
      try untiler.add(tiles, channel: first)
      let image = try untiler.finished()
      for channel in 0..<channels {
        #expect(image.channel(channel) == expected.channel(first + channel))
      }
    }
  }
}
