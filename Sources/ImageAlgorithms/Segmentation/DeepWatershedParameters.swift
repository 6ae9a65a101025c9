/// How ``deepWatershed(maxima:interior:parameters:)`` tells objects apart.
public struct DeepWatershedParameters: Sendable, Hashable {
  /// How the pixels objects grow from are found in the maxima map.
  public enum MaximaAlgorithm: Sendable, Hashable {
    /// ``hMaxima(_:h:radius:)``.
    case hMaxima
    /// ``localMaxima(_:minimumDistance:threshold:excludesBorder:)``.
    case localMaxima
  }

  /// Pixels; tops closer than this belong to one object.
  public var radius = 10
  /// How far a top must rise above its surroundings; for local maxima, above 0.
  public var maximaThreshold = 0.1
  /// Pixels whose interior is greater belong to objects.
  public var interiorThreshold = 0.01
  /// Sigma, in pixels, of a Gaussian on the maxima map; 0 is off.
  public var maximaSmooth = 0.0
  /// Sigma, in pixels, of a Gaussian on the interior map; 0 is off.
  public var interiorSmooth = 1.0
  /// Pixels; objects with fewer are removed; 0 is off.
  public var smallObjectsThreshold = 0
  /// Pixels; holes with fewer are filled; 0 is off.
  public var fillHolesThreshold = 0
  /// How many pixels are peeled off each object.
  public var labelErosion = 0
  /// How many pixels the interior is widened by, before objects are grown.
  public var pixelExpansion = 0
  public var maximaAlgorithm = MaximaAlgorithm.hMaxima

  public init() {}

  /// What the nuclear model is post-processed with.
  public static let nuclear = DeepWatershedParameters()
  /// What the cytoplasm model is post-processed with.
  public static let cytoplasm = DeepWatershedParameters()
  /// What Mesmer's whole cells are post-processed with.
  public static let mesmerWholeCell = mesmer(maximaThreshold: 0.075)
  /// What Mesmer's nuclei are post-processed with.
  public static let mesmerNuclear = mesmer(maximaThreshold: 0.1)

  private static func mesmer(maximaThreshold: Double) -> DeepWatershedParameters {
    var parameters = DeepWatershedParameters()
    parameters.radius = 2
    parameters.maximaThreshold = maximaThreshold
    parameters.interiorThreshold = 0.2
    parameters.interiorSmooth = 2
    parameters.smallObjectsThreshold = 15
    parameters.fillHolesThreshold = 15
    return parameters
  }
}
