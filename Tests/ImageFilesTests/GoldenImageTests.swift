import Arrays
import Foundation
import ImageFiles
import TestSupport
import Testing

@Suite(.computing) struct GoldenImageTests {
  @Test func `there are golden cases`() {
    #expect(GoldenCase.all("get_image").count >= 40)
    #expect(GoldenCase.all("save_numpy_array").count >= 5)
  }

  @Test(arguments: GoldenCase.all("get_image"))
  func `an image has the pixels the Python service saw`(golden: GoldenCase) throws {
    let file = try #require(golden.params.file)
    if file.hasSuffix(".bmp") || file.hasSuffix(".gif") {
      let error = #expect(throws: ImageFileError.self) {
        try ImageFile.decode(contentsOf: golden.path(of: file), name: file)
      }
      #expect(error?.code == .unknownFormat)
      #expect(error?.description.contains("TIFF, PNG, JPEG and NPY files can be read") == true)
      return
    }
    if golden.raises != nil {
      #expect(throws: ImageFileError.self) {
        try ImageFile.decode(contentsOf: golden.path(of: file), name: file)
      }
      return
    }
    let image = try ImageFile.decode(contentsOf: golden.path(of: file), name: file)
    let fromMemory = try ImageFile.decode(
      Array(Data(contentsOf: URL(filePath: golden.path(of: file)))), name: file)
    #expect(fromMemory.pixels.bytes == image.pixels.bytes)

    let expected = try golden.array("output.npy").asFloat
    let pixels = image.pixels.asFloat
    try #require(pixels.shape == expected.shape)
    #expect(image.axes.count == pixels.rank)
    // Decoders of lossy formats may differ by 3 grey levels.
    let isLossy = golden.case.contains("jp")
    let worst = zip(pixels.elements, expected.elements).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= (isLossy ? 3 : 0))
  }

  @Test(arguments: GoldenCase.all("save_numpy_array"))
  func `saved labels are the files the Python service wrote`(golden: GoldenCase) throws {
    let folder = try TemporaryFolder()
    let name = try #require(golden.params.name)
    let paths = try LabelFiles.save(golden.array("input.npy"), name: name, in: folder.path)

    let values = golden.outputs.compactMap(\.file)
    #expect(paths.count == values.count)
    for (channel, path) in paths.enumerated() {
      #expect(path == "\(folder.path)/\(name)_feature_\(channel).tif")
      let saved = try ImageFile.decode(contentsOf: path, name: path).pixels
      let expected = try golden.array(values[channel]).asFloat
      #expect(saved.dtype == .float32)
      #expect(saved.shape == expected.shape)
      #expect(saved.asFloat == expected)

      let theirs = try ImageFile.decode(
        contentsOf: golden.path(of: "\(name)_feature_\(channel).tif"), name: path
      ).pixels
      #expect(saved.shape == theirs.shape)
      #expect(saved.asFloat == theirs.asFloat)
    }
  }
}
