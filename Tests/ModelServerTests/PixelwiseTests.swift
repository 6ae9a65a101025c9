import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// Pixelwise:1 and what jobs make of its classes.
@Suite(.computing) struct PixelwiseTests {
  /// `[row, column, class]`
  private func classes(of image: NDArray<Float>) throws -> NDArray<Float> {
    try ClassicalModel.pixelwise.answer([image.expandingDimensions(at: 2)])[0]
  }

  /// One object for each blob of confident interior, grown to where interior is likeliest.
  private func objects(_ classes: NDArray<Float>) throws -> NDArray<Int32> {
    let interior = classes.channel(PixelClasses.interior)
    let blobs = try removeSmallObjects(
      connectedComponents(interior.map { $0 > 0.8 }, connectivity: .four).labels, minimumArea: 50)
    return try watershed(descending: interior, markers: blobs, mask: interior.map { $0 > 0.5 })
  }

  @Test(arguments: 0..<3) func `each nucleus is a blob of interior`(seed: Int) throws {
    let cells = try CellSample(seed: seed, count: 35, radii: 8...13)
    let score = DetectionScore(found: try objects(classes(of: cells.counts)), truth: cells.labels)
    #expect(score.f1 >= 0.9, "\(score)")
  }

  @Test func `nuclei of a real image are found`() throws {
    let found = try objects(classes(of: ExampleImage.nuclei()))
    let score = DetectionScore(found: found, truth: try ExampleImage.labels())
    #expect(score.f1 >= 0.85, "\(score)")
  }

  @Test(arguments: 0..<2)
  func `interior without edge parts nuclei, and interior covers them`(seed: Int) throws {
    let cells = try CellSample(seed: seed, count: 35, radii: 8...13)
    let classes = try classes(of: cells.counts)
    let interior = classes.channel(PixelClasses.interior)
    let seeds = combined(interior, classes.channel(PixelClasses.edge)) {
      $0 >= 0.25 && $1 < 0.25 ? 1 : 0
    }
    let markers = try removeSmallObjects(
      connectedComponents(seeds.map { $0 > 0 }, connectivity: .four).labels, minimumArea: 50)
    let whole = try watershed(
      descending: interior, markers: markers, mask: interior.map { $0 >= 0.25 })
    let score = DetectionScore(found: whole, truth: cells.labels, overlap: 0.6)
    #expect(score.f1 >= 0.9, "\(score)")
  }

  @Test func `classes are probabilities`() throws {
    let cells = try CellSample(seed: 1, side: 100, count: 8, radii: 8...13)
    let classes = try classes(of: cells.image)
    #expect(classes.shape == [100, 100, 3])
    let values = classes.elements
    for i in stride(from: 0, to: values.count, by: 3) {
      #expect(values[i..<i + 3].allSatisfy { (0...1).contains($0) })
      #expect(abs(values[i] + values[i + 1] + values[i + 2] - 1) < 1e-5)
    }
  }

  @Test func `the classes of objects that touch are edge between them`() throws {
    let labels = NDArray<Int32>(uninitialized: [30, 40]) { output in
      for i in output.indices {
        let (row, column) = (i / 40, i % 40)
        output[i] = (5..<25).contains(row) && (4..<36).contains(column) ? (column < 20 ? 1 : 2) : 0
      }
    }
    let winners = try argmax(PixelClasses.probabilities(of: labels), axis: 2)
    #expect(winners[15, 19] == 0 && winners[15, 20] == 0)
    #expect(winners[15, 10] == 1 && winners[15, 30] == 1)
    #expect(winners[15, 4] == 1 && winners[15, 3] == 0)
    #expect(winners[15, 0] == 2 && winners[1, 20] == 2)
  }

  @Test func `pieces with the margin of a field of 61 pixels agree with the whole`() throws {
    let image = try ExampleImage.nuclei()
    let whole = try classes(of: image)
    let (half, margin) = (256, 30)
    var joined = NDArray<Float>(shape: whole.shape)
    for (top, left) in [(0, 0), (0, half), (half, 0), (half, half)] {
      let part = Part(
        rows: max(top - margin, 0)..<min(top + half + margin, 512),
        columns: max(left - margin, 0)..<min(left + half + margin, 512))
      let answer = try classes(of: part.cut(from: image))
      for row in top..<top + half {
        for column in left..<left + half {
          for channel in 0..<3 {
            joined[row, column, channel] =
              answer[row - part.rows.lowerBound, column - part.columns.lowerBound, channel]
          }
        }
      }
    }
    try expectAlike(joined, whole)
  }

  @Test func `a large image is worked on in parts`() throws {
    let image = try ExampleImage.nuclei()
    try expectAlike(
      ClassicalModel.pixelClasses(of: image, side: 200), ClassicalModel.pixelClasses(of: image))
  }

  private func expectAlike(_ a: NDArray<Float>, _ b: NDArray<Float>) throws {
    let differing = zip(try argmax(a, axis: 2).elements, try argmax(b, axis: 2).elements)
      .count { $0 != $1 }
    #expect(differing <= b.count / 3 / 40, "\(differing) pixels")
    let score = DetectionScore(found: try objects(a), truth: try objects(b))
    #expect(score.f1 >= 0.95, "\(score)")
  }

  @Test func `the unit of brightness does not matter`() throws {
    let cells = try CellSample(seed: 2, count: 30, radii: 8...13)
    let reference = try argmax(classes(of: cells.image), axis: 2).elements
    for (factor, offset): (Float, Float) in [(65535, 0), (0.01, -3), (1, 100)] {
      let other = try argmax(classes(of: cells.image.map { $0 * factor + offset }), axis: 2)
      let differing = zip(reference, other.elements).count { $0 != $1 }
      #expect(differing <= reference.count / 200, "\(differing) pixels, times \(factor)")
    }
  }

  @Test(arguments: [[0, 5], [5, 0], [1, 1], [1, 200], [3, 2], [7, 301]])
  func `any extent is taken`(shape: [Int]) throws {
    var generator = SeededGenerator(seed: 5)
    let image = NDArray<Float>(uninitialized: shape) { output in
      for i in output.indices {
        output[i] = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
      }
    }
    let classes = try classes(of: image)
    #expect(classes.shape == shape + [3])
    #expect(classes.elements.allSatisfy { (0...1).contains($0) })
  }

  @Test(arguments: [0, 0.5, 65535, -3, Float.infinity, .nan])
  func `an even image is background`(value: Float) throws {
    let winners = try argmax(classes(of: NDArray(shape: [90, 70], repeating: value)), axis: 2)
    #expect(winners.elements.allSatisfy { $0 == PixelClasses.background })
  }
}
