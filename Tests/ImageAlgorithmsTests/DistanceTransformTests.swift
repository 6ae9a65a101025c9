import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct DistanceTransformTests {
  @Test(arguments: 0..<200) func `distances are those to the nearest pixel outside`(seed: Int)
    throws
  {
    var generator = SeededGenerator(seed: seed)
    let (rows, columns) = (
      Int.random(in: 1...14, using: &generator), Int.random(in: 1...14, using: &generator)
    )
    let density = Double.random(in: 0...1, using: &generator)
    let mask = NDArray<Bool>(uninitialized: [rows, columns]) { output in
      for i in output.indices { output[i] = .random(in: 0...1, using: &generator) < density }
    }
    let distances = try distanceTransform(mask)
    let outside = mask.elements.indices.filter { !mask.elements[$0] }
    for i in 0..<rows * columns {
      let squares = outside.map { other in
        let (y, x) = (i / columns - other / columns, i % columns - other % columns)
        return Double(y * y + x * x)
      }
      let expected = squares.min().map { Float($0.squareRoot()) } ?? .infinity
      #expect(distances[i / columns, i % columns] == expected)
    }
  }
}
