/// A neighbourhood of a pixel, as one horizontal stretch per row.
struct Footprint: Hashable {
  /// How many rows it reaches up and down, and at most columns left and right.
  let radius: Int
  /// For each row `-radius...radius` how far it reaches to either side of the centre.
  let reach: [Int]

  /// The pixels whose centres are at most `radius` away.
  static func disk(_ radius: Int) -> Footprint {
    Footprint(
      radius: radius,
      reach: (-radius...radius).map { row in
        let square = radius * radius - row * row
        var reach = Int(Double(square).squareRoot())
        while reach * reach > square { reach -= 1 }
        while (reach + 1) * (reach + 1) <= square { reach += 1 }
        return reach
      })
  }

  /// The pixels at most `radius` rows and columns away.
  static func square(_ radius: Int) -> Footprint {
    Footprint(radius: radius, reach: Array(repeating: radius, count: 2 * radius + 1))
  }
}
