/// How cells are followed through a movie.
///
/// - Source: the defaults of kiosk-redis-consumer 0.17.2.
public struct TrackingParameters: Sendable, Equatable {
  public var appearance: AppearanceParameters
  /// Pixels between the centroids of cells that are neighbours.
  public var maximumDistance: Double
  /// Most frames of a track that the model sees.
  public var trackLength: Int
  /// What it costs that a cell appears, and that one vanishes; matches cost 0 to 1.
  public var birth: Double
  public var death: Double
  /// How probable it must be that a new cell is a daughter.
  public var division: Double

  public init(
    appearance: AppearanceParameters = AppearanceParameters(), maximumDistance: Double = 50,
    trackLength: Int = 8, birth: Double = 0.99, death: Double = 0.99, division: Double = 0.9
  ) {
    self.appearance = appearance
    self.maximumDistance = maximumDistance
    self.trackLength = trackLength
    self.birth = birth
    self.death = death
    self.division = division
  }
}
