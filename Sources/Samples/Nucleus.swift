import Glibc

/// A nucleus in one frame of a movie.
struct Nucleus {
  let label: Int
  var row: Float
  var column: Float
  /// Pixels per frame.
  var velocity: (row: Float, column: Float) = (0, 0)
  /// Of a circle of its area.
  var radius: Float
  let adultRadius: Float
  /// Of the short axis to the long one.
  var roundness: Float
  var direction: (row: Float, column: Float)
  var brightness: Float
  /// Where its bright and dark parts are, which it keeps.
  let texture: [(along: Float, across: Float, phase: Float)]
  /// Frames since its track began.
  var age = 0
  /// It is about to divide: round, and its chromatin dense.
  var isDividing = false
}

extension Nucleus {
  /// In pixels, once it has grown.
  var adultArea: Float { .pi * adultRadius * adultRadius }

  var ellipse: Ellipse {
    // Of the area that the radius stands for.
    let root = roundness.squareRoot()
    return Ellipse(
      centre: (row, column), axes: (radius / root, radius * root), direction: direction)
  }

  /// Light from a place within, as ``Ellipse`` tells it.
  func light(along: Float, across: Float) -> Float {
    let lumps = texture.reduce(Float(0)) {
      $0 + sin($1.along * along + $1.across * across + $1.phase)
    }
    return brightness * (1 + 0.1 * lumps)
  }
}
