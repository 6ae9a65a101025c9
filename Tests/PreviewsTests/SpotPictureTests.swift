import Arrays
import Previews
import TestSupport
import Testing

@Suite struct SpotPictureTests {
  private static let image = NDArray<Float>(
    shape: [20, 30], elements: (0..<600).map { Float($0) })

  /// Rows and columns of the magenta pixels.
  private static func dots(_ picture: NDArray<UInt8>) -> Set<[Int]> {
    var dots: Set<[Int]> = []
    for row in 0..<picture.shape[0] {
      for column in 0..<picture.shape[1]
      where picture.slice(row).slice(column).elements == [255, 0, 255] {
        dots.insert([row, column])
      }
    }
    return dots
  }

  private static func spots(_ places: [Double]...) -> NDArray<Double> {
    NDArray(shape: [places.count, 2], elements: places.flatMap { $0 })
  }

  @Test func `a spot is a dot on its pixel and the four around it`() throws {
    let picture = try SpotPicture.draw(Self.spots([4.4, 7.6]), over: Self.image)
    #expect(picture.shape == [20, 30, 3])
    #expect(Self.dots(picture) == [[4, 8], [3, 8], [5, 8], [4, 7], [4, 9]])
    // All others are grey.
    let plain = try SpotPicture.draw(Self.spots(), over: Self.image)
    #expect(plain.shape == [20, 30, 3])
    #expect(Self.dots(plain).isEmpty)
    for pixel in 0..<600 {
      let values = plain.slice(pixel / 30).slice(pixel % 30).elements
      #expect(Set(values).count == 1)
    }
    #expect(plain[0, 0, 0] == 0 && plain[19, 29, 0] == 255)
  }

  @Test func `what lies outside is left out`() throws {
    for place in [[-0.6, 5], [5, -0.6], [19.6, 5], [5, 29.6], [.nan, 5], [5, .infinity]] {
      #expect(try Self.dots(SpotPicture.draw(Self.spots(place), over: Self.image)).isEmpty)
    }
    let corner = try SpotPicture.draw(Self.spots([-0.4, 29.4]), over: Self.image)
    #expect(Self.dots(corner) == [[0, 29], [1, 29], [0, 28]])
  }

  @Test(arguments: 0..<50)
  func `in smaller pictures spots are where they belong`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let (rows, columns) = (
      Int.random(in: 1...200, using: &generator), Int.random(in: 1...200, using: &generator)
    )
    let row = Double.random(in: -0.4..<Double(rows) - 0.6, using: &generator)
    let column = Double.random(in: -0.4..<Double(columns) - 0.6, using: &generator)
    let picture = try SpotPicture.draw(
      Self.spots([row, column]), over: NDArray(shape: [rows, columns], repeating: 1),
      maximumPixels: 400)
    let (height, width) = (picture.shape[0], picture.shape[1])
    #expect(height * width <= 400)
    let dots = Self.dots(picture)
    let place = [
      Int((row + 0.5) * Double(height) / Double(rows)),
      Int((column + 0.5) * Double(width) / Double(columns)),
    ]
    #expect(dots.contains(place), "\(place) is not in \(dots)")
    #expect(dots.allSatisfy { abs($0[0] - place[0]) + abs($0[1] - place[1]) <= 1 })
  }

  @Test func `arrays of other shapes are refused`() {
    #expect(throws: ArrayError.self) {
      try SpotPicture.draw(Self.spots(), over: NDArray(shape: [0, 5]))
    }
    #expect(throws: ArrayError.self) {
      try SpotPicture.draw(Self.spots(), over: NDArray(shape: [5, 5, 1]))
    }
    #expect(throws: ArrayError.self) {
      try SpotPicture.draw(NDArray(shape: [4, 3]), over: Self.image)
    }
  }
}
