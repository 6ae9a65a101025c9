/// Nuclei of a culture from one frame of a movie to the next.
struct Colony {
  private(set) var tracks: [MovieSample.Track] = []
  private(set) var nuclei: [Nucleus] = []
  let side: Int
  private let frames: Int
  var generator: SeededGenerator

  private static let adultRadii: ClosedRange<Float> = 8...11
  private static let brightness: ClosedRange<Float> = 700...2000
  /// Of all nuclei in a frame.
  private static let (divisions, deaths, births) = (Float(0.015), Float(0.005), Float(0.005))
  /// Frames before a nucleus divides again.
  private static let leastAge = 4
  /// What it keeps of its velocity, and how much is added.
  private static let (persistence, agitation): (Float, Float) = (0.6, 1.4)
  private static let growth: Float = 1.06
  /// Part of the frame that nuclei take before they stop dividing, as cells do that touch.
  private static let fullness: Float = 0.5

  init(side: Int, count: Int, frames: Int, generator: SeededGenerator) {
    self.side = side
    self.frames = frames
    self.generator = generator
    for _ in 0..<count { addIfFree(frame: 0) }
  }

  // MARK: A life

  mutating func advance(to frame: Int) {
    // What a longer movie has anyway is there in a short one, too.
    let isEventful = frames >= 4 && nuclei.count >= 3
    divide(at: frame)
    if isEventful && frame == frames / 2 || chance(Self.deaths * Float(nuclei.count)) {
      removeOne()
    }
    for i in nuclei.indices {
      nuclei[i] = moved(nuclei[i])
    }
    pushApart()
    if isEventful && frame == frames / 3 || chance(Self.births * Float(nuclei.count)) {
      addIfFree(frame: frame)
    }
    for nucleus in nuclei where tracks[nucleus.label - 1].frames.last != frame {
      tracks[nucleus.label - 1].frames.append(frame)
    }
    prepareDivisions(after: frame, isNeeded: isEventful && frame == max(frames / 2 - 1, 1))
  }

  private mutating func chance(_ probability: Float) -> Bool {
    Float.random(in: 0..<1, using: &generator) < probability
  }

  private mutating func moved(_ nucleus: Nucleus) -> Nucleus {
    var nucleus = nucleus
    nucleus.age += 1
    nucleus.velocity.row =
      Self.persistence * nucleus.velocity.row + Self.agitation * generator.normal()
    nucleus.velocity.column =
      Self.persistence * nucleus.velocity.column + Self.agitation * generator.normal()
    nucleus.row += nucleus.velocity.row
    nucleus.column += nucleus.velocity.column
    nucleus.direction = Self.turned(nucleus.direction, by: 0.1 * generator.normal())
    if !nucleus.isDividing {
      nucleus.radius = min(nucleus.radius * Self.growth, nucleus.adultRadius)
    }
    return nucleus
  }

  private static func turned(
    _ direction: (row: Float, column: Float), by angle: Float
  ) -> (row: Float, column: Float) {
    let (row, column) = (
      direction.row + angle * direction.column, direction.column - angle * direction.row
    )
    let length = (row * row + column * column).squareRoot()
    return (row / length, column / length)
  }

  private mutating func prepareDivisions(after frame: Int, isNeeded: Bool) {
    var isNeeded = isNeeded
    var room = Self.fullness * Float(side * side) - nuclei.reduce(0) { $0 + $1.adultArea }
    for i in nuclei.indices where nuclei[i].age >= min(Self.leastAge, frame) {
      guard nuclei[i].radius > 0.9 * nuclei[i].adultRadius, frame + 1 < frames else { continue }
      guard isNeeded || room > 0 && chance(Self.divisions) else { continue }
      isNeeded = false
      room -= nuclei[i].adultArea
      nuclei[i].isDividing = true
      nuclei[i].radius *= 0.92
      nuclei[i].roundness = max(nuclei[i].roundness, 0.95)
      nuclei[i].brightness *= 1.15
    }
  }

  private mutating func divide(at frame: Int) {
    for parent in nuclei where parent.isDividing {
      let axis = generator.direction()
      tracks[parent.label - 1].divisionFrame = frame
      for sign: Float in [-1, 1] {
        let label = tracks.count + 1
        let radius = parent.radius / Float(2).squareRoot()
        nuclei.append(
          Nucleus(
            label: label, row: parent.row + sign * 1.1 * radius * axis.row,
            column: parent.column + sign * 1.1 * radius * axis.column,
            velocity: (sign * 0.5 * axis.row, sign * 0.5 * axis.column), radius: radius,
            adultRadius: .random(in: Self.adultRadii, using: &generator),
            roundness: .random(in: 0.75...0.95, using: &generator), direction: axis,
            brightness: parent.brightness / 1.15, texture: texture()))
        tracks[parent.label - 1].daughters.append(label)
        tracks.append(
          MovieSample.Track(label: label, frames: [frame], parent: parent.label))
      }
    }
    nuclei.removeAll { $0.isDividing }
  }

  private mutating func removeOne() {
    let old = nuclei.indices.filter { nuclei[$0].age > 0 && !nuclei[$0].isDividing }
    if let index = old.randomElement(using: &generator) { nuclei.remove(at: index) }
  }

  /// Adds a nucleus where there is room for it.
  private mutating func addIfFree(frame: Int) {
    let radius = Float.random(in: Self.adultRadii, using: &generator)
    let range = radius + 2...Float(side) - radius - 3
    for _ in 0..<20 {
      let (row, column) = (
        Float.random(in: range, using: &generator), Float.random(in: range, using: &generator)
      )
      let isFree = nuclei.allSatisfy { other in
        let (y, x) = (other.row - row, other.column - column)
        let apart = other.radius + radius + 6
        return y * y + x * x >= apart * apart
      }
      guard isFree else { continue }
      let label = tracks.count + 1
      nuclei.append(
        Nucleus(
          label: label, row: row, column: column, radius: radius, adultRadius: radius,
          roundness: .random(in: 0.7...0.95, using: &generator),
          direction: generator.direction(),
          brightness: .random(in: Self.brightness, using: &generator), texture: texture()))
      tracks.append(MovieSample.Track(label: label, frames: [frame], parent: nil))
      return
    }
  }

  private mutating func texture() -> [(along: Float, across: Float, phase: Float)] {
    (0..<3).map { _ in
      let direction = generator.direction()
      let frequency = Float.random(in: 2...5, using: &generator)
      return (
        frequency * direction.row, frequency * direction.column,
        .random(in: 0..<2 * .pi, using: &generator)
      )
    }
  }

  /// Moves nuclei off each other and off the edges.
  private mutating func pushApart() {
    for _ in 0..<6 {
      for i in nuclei.indices {
        for j in nuclei.indices.dropFirst(i + 1) {
          let (y, x) = (nuclei[j].row - nuclei[i].row, nuclei[j].column - nuclei[i].column)
          let distance = (y * y + x * x).squareRoot()
          let overlap = nuclei[i].radius + nuclei[j].radius + 1 - distance
          guard overlap > 0, distance > 0 else { continue }
          let push = 0.5 * overlap / distance
          nuclei[i].row -= push * y
          nuclei[i].column -= push * x
          nuclei[j].row += push * y
          nuclei[j].column += push * x
        }
        let range = nuclei[i].radius + 1...Float(side) - nuclei[i].radius - 2
        nuclei[i].row = min(max(nuclei[i].row, range.lowerBound), range.upperBound)
        nuclei[i].column = min(max(nuclei[i].column, range.lowerBound), range.upperBound)
      }
    }
  }
}
