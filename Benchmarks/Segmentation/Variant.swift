import Arrays
import TestSupport

/// The image changed in ways that must not matter, so that a good score is no accident.
struct Variant: Sendable {
  let name: String
  let apply: @Sendable (NDArray<Float>, NDArray<Int32>) -> (NDArray<Float>, NDArray<Int32>)

  static let all = [
    Variant(name: "as it is") { ($0, $1) },
    Variant(name: "rows for columns") { ($0.transposed([1, 0]), $1.transposed([1, 0])) },
    Variant(name: "a part of 400 x 420") { (part($0), part($1)) },
    Variant(name: "noise of 8 grey levels") { (noisy($0, 8), $1) },
    Variant(name: "noise of 15 grey levels") { (noisy($0, 15), $1) },
    Variant(name: "a tenth as bright") { image, truth in (image.map { $0 / 10 + 100 }, truth) },
  ]

  private static func part<Element>(_ image: NDArray<Element>) -> NDArray<Element> {
    let (top, left, rows, columns) = (37, 51, 400, 420)
    let width = image.shape[1]
    return NDArray(uninitialized: [rows, columns]) { output in
      image.withUnsafeBuffer { input in
        for row in 0..<rows {
          let start = (top + row) * width + left
          _ = output[(row * columns)...].update(fromContentsOf: input[start..<start + columns])
        }
      }
    }
  }

  private static func noisy(_ image: NDArray<Float>, _ deviation: Float) -> NDArray<Float> {
    var generator = SeededGenerator(seed: 1)
    return image.map { value in
      // The sum of twelve even numbers is nearly normal, with a variance of one.
      let sum = (0..<12).reduce(Float(0)) { sum, _ in sum + .random(in: 0...1, using: &generator) }
      return value + deviation * (sum - 6)
    }
  }
}
