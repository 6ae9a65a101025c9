import Arrays
import TestSupport
import Testing

@testable import Previews

@Suite(.computing) struct OverlayTests {
  /// Colour of a pixel of a picture.
  private func color(_ picture: NDArray<UInt8>, _ y: Int, _ x: Int) -> [UInt8] {
    (0..<3).map { picture[y, x, $0] }
  }

  private func color(of label: Int32) -> [UInt8] {
    let color = LabelColors.color(of: label)
    return [color.red, color.green, color.blue]
  }

  @Test func `a pixel is outline where its label differs from the right or lower one`() throws {
    let labels = NDArray<Int32>(
      shape: [4, 5],
      elements: [
        0, 0, 0, 0, 0,
        0, 7, 7, 0, 0,
        0, 7, 7, 0, 0,
        0, 0, 0, 0, 0,
      ])
    let picture = try Overlay.outlines(
      of: labels, over: NDArray(shape: [4, 5], repeating: 0))

    let expected = [
      ".##..",
      "#.#..",
      "###..",
      ".....",
    ]
    for (y, row) in expected.enumerated() {
      for (x, mark) in row.enumerated() {
        #expect(
          color(picture, y, x) == (mark == "#" ? color(of: 7) : [0, 0, 0]), "row \(y), column \(x)")
      }
    }
  }

  @Test func `two channels are blue and green, each in its own contrast`() throws {
    let first = NDArray<Float>(uninitialized: [1, 1000]) {
      for i in $0.indices { $0[i] = Float(i % 2) }
    }
    let second = first.map { 1000 * (1 - $0) }
    let picture = try Overlay.outlines(
      of: NDArray(shape: [1, 1000]), over: first, and: second)
    for x in 0..<1000 {
      #expect(color(picture, 0, x) == (x % 2 == 1 ? [63, 127, 255] : [0, 189, 0]))
    }
    #expect(throws: ArrayError.self) {
      try Overlay.outlines(of: NDArray(shape: [1, 2]), over: NDArray(shape: [1, 2]), and: first)
    }
  }

  @Test func `between two cells the outline has the colour of the left or upper one`() throws {
    let labels = NDArray<Int32>(shape: [2, 2], elements: [1, 2, 3, 3])
    let picture = try Overlay.outlines(of: labels, over: NDArray(shape: [2, 2]))
    #expect(color(picture, 0, 0) == color(of: 1))
    #expect(color(picture, 0, 1) == color(of: 2))
    #expect(color(picture, 1, 0) == [0, 0, 0])
  }

  @Test func `the image is stretched from its 1st to its 99.8th percentile`() throws {
    // 0, 1 ... 1000: the percentiles are 10 and 998.
    let image = NDArray<Float>(shape: [1, 1001], elements: (0...1000).map(Float.init))
    let picture = try Overlay.outlines(of: NDArray(shape: [1, 1001]), over: image)
    for value in 0...1000 {
      let share = (Double(value) - 10) / 988
      let expected = UInt8((min(max(share, 0), 1) * 255).rounded())
      for channel in 0..<3 {
        #expect(abs(Int(picture[0, value, channel]) - Int(expected)) <= 1, "value \(value)")
      }
    }
    #expect(picture[0, 10, 0] == 0)
    #expect(picture[0, 998, 0] == 255)
  }

  @Test func `one hot pixel does not darken the rest`() throws {
    var values = (0..<10_000).map { Float($0 % 100) }
    values[17] = 1e9
    let picture = try Overlay.outlines(
      of: NDArray(shape: [100, 100]), over: NDArray(shape: [100, 100], elements: values))
    #expect(picture.elements.count { $0 > 100 } > 10_000)
  }

  @Test func `an image of one value, or with values that are no numbers, can be shown`() throws {
    let flat = try Overlay.outlines(
      of: NDArray(shape: [3, 3]), over: NDArray(shape: [3, 3], repeating: 5))
    #expect(flat.elements.allSatisfy { $0 == 0 })

    let odd = try Overlay.outlines(
      of: NDArray(shape: [1, 5]),
      over: NDArray(shape: [1, 5], elements: [.nan, -.infinity, 0, 1, .infinity]))
    #expect((0..<5).map { odd[0, $0, 0] } == [0, 0, 0, 255, 255])
  }

  @Test func `a large image is scaled down in proportion and keeps outlines of one pixel`() throws {
    let (height, width) = (300, 600)
    let labels = NDArray<Int32>(uninitialized: [height, width]) { output in
      for y in 0..<height {
        for x in 0..<width { output[y * width + x] = x < 300 ? 1 : 2 }
      }
    }
    let picture = try Overlay.outlines(
      of: labels, over: NDArray(shape: [height, width]), maximumPixels: 5000)
    #expect(picture.shape == [50, 100, 3])
    for y in 0..<50 {
      let colored = (0..<100).filter { color(picture, y, $0) != [0, 0, 0] }
      #expect(colored == [49])
    }
  }

  @Test(arguments: 0..<200) func `a scaled picture has at most the pixels allowed`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let height = Int.random(in: 1...5000, using: &generator)
    let width = Int.random(in: 1...5000, using: &generator)
    let limit = Int.random(in: 1...1_000_000, using: &generator)
    let size = PictureSize(height: height, width: width, maximumPixels: limit)
    #expect(size.height >= 1 && size.width >= 1, "\(height) x \(width), \(limit)")
    #expect(size.height * size.width <= limit, "\(height) x \(width), \(limit)")
    #expect(size.height <= height && size.width <= width, "\(height) x \(width), \(limit)")
  }

  @Test func `extents that differ are refused with both shapes`() {
    #expect {
      try Overlay.outlines(of: NDArray(shape: [2, 3]), over: NDArray(shape: [3, 2]))
    } throws: { error in
      let text = "\(error)"
      return text.contains("(2, 3)") && text.contains("(3, 2)")
    }
  }

  @Test func `scaling down averages the image`() {
    let image = NDArray<Float>(shape: [2, 4], elements: [0, 2, 10, 10, 4, 6, 10, 10])
    let small = image.averaged(to: PictureSize(height: 2, width: 4, maximumPixels: 2))
    #expect(small == NDArray(shape: [1, 2], elements: [3, 10]))
  }

  @Test func `twelve consecutive labels have twelve colours`() {
    let colors = Set((1...12).map { color(of: $0) })
    #expect(colors.count == LabelColors.count)
    #expect(color(of: 13) == color(of: 1))
    #expect(colors.allSatisfy { $0.map(Int.init).max() ?? 0 >= 190 })
  }
}
