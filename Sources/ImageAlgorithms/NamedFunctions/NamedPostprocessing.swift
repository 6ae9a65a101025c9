import Arrays

/// What a job can ask to be made of its model's outputs.
///
/// - Source: the functions of kiosk-redis-consumer 0.1 to 0.8.4, with their names, but for the two that
///   need a model with boxes.
public enum NamedPostprocessing: String, Sendable, CaseIterable {
  /// The outputs as they are.
  case none
  /// ``pixelwiseSegmentation(_:threshold:minimumArea:)``.
  case deepcell
  /// The same as ``deepcell``.
  case pixelwise
  /// ``interiorEdgeSegmentation(_:edgeThreshold:interiorThreshold:minimumArea:)``.
  case mibi
  /// ``distanceBinWatershed(_:minimumDistance:threshold:minimumArea:)``.
  case watershed
  /// ``deepWatershed(maxima:interior:parameters:)`` of the first and the last output.
  case deepWatershed = "deep_watershed"
  /// ``MesmerPostprocessing`` for whole cells.
  case multiplexPostprocessConsumer = "multiplex_postprocess_consumer"

  /// What a function makes of a model's outputs.
  public enum Result: Sendable, Equatable {
    /// `[batch, row, column, 1]`; 0 is background.
    case labels(NDArray<Int32>)
    /// `[batch, row, column, channel]`: the channels of all outputs, in the order of their names.
    case maps(NDArray<Float>)

    public var shape: Shape {
      switch self {
      case .labels(let labels): labels.shape
      case .maps(let maps): maps.shape
      }
    }
  }

  /// Reads a job's `postprocess_function`.
  ///
  /// - Parameter list: a name, or none; commas and blanks around it do not matter.
  /// - Throws: ``ImageError`` when the name is not known, what it stands for is not supported, or there
  ///   is more than one.
  public init(list: String) throws(ImageError) { self = try Self.parsed(list) }

  /// Does it.
  ///
  /// - Parameter heads: the model's outputs in the order of their names, each `[batch, row, column,
  ///   channel]`.
  /// - Returns: the same batch, rows and columns. Each item is labelled by itself.
  /// - Throws: ``ImageError`` when there are not as many outputs or channels as needed, shapes differ, or
  ///   a value labels are made from is not finite; `CancellationError` between the steps.
  public func apply(to heads: [NDArray<Float>]) throws -> Result {
    try requireHeads(heads)
    switch self {
    case .none: return .maps(try lastAxisJoined(heads))
    case .deepcell, .pixelwise: return .labels(try pixelwiseSegmentation(heads[0]))
    case .mibi: return .labels(try interiorEdgeSegmentation(heads[0]))
    case .watershed: return .labels(try distanceBinWatershed(heads[0]))
    case .deepWatershed:
      return .labels(
        try ImageAlgorithms.deepWatershed(
          maxima: heads[0], interior: heads[heads.count - 1], parameters: .namedInJob))
    case .multiplexPostprocessConsumer:
      return .labels(try MesmerPostprocessing.namedInJob.labels(heads))
    }
  }

  /// How many outputs of the model the function takes.
  private var headCounts: ClosedRange<Int> {
    switch self {
    case .none: 1...Int.max
    case .deepcell, .pixelwise, .mibi, .watershed: 1...1
    case .deepWatershed: 2...Int.max
    case .multiplexPostprocessConsumer:
      MesmerPostprocessing.headCount...MesmerPostprocessing.headCount
    }
  }

  private func requireHeads(_ heads: [NDArray<Float>]) throws(ImageError) {
    guard headCounts.contains(heads.count) else {
      let (fewest, most) = (headCounts.lowerBound, headCounts.upperBound)
      throw ImageError(
        .unexpectedModelOutput,
        "the \(Self.stage) function \"\(rawValue)\" needs \(most == fewest ? "" : "at least ")"
          + "\(fewest) \(fewest == 1 ? "output" : "outputs") of the model, but it answered "
          + "\(heads.count); choose another function or another model")
    }
    for head in heads where head.rank != 4 || head.shape[..<3] != heads[0].shape[..<3] {
      throw ImageError(
        .unexpectedModelOutput,
        "the \(Self.stage) function \"\(rawValue)\" needs outputs with the axes (batch, row, column, "
          + "channel) that agree but for the channels, not the shapes "
          + heads.map(\.shape.tupleDescription).joined(separator: ", "))
    }
  }
}

extension NamedPostprocessing: NamedFunction {
  static let stage = "post-processing"

  private static let boxes =
    "models that answer boxes and masks are not; choose a model with one of the other functions"
  static let unsupported = ["retinanet": boxes, "retinanet-semantic": boxes]
}

extension DeepWatershedParameters {
  /// What `deep_watershed` does: an older form of ``nuclear`` that neither smooths nor merges tops.
  static let namedInJob: DeepWatershedParameters = {
    var parameters = DeepWatershedParameters()
    parameters.maximaAlgorithm = .localMaxima
    parameters.interiorSmooth = 0
    return parameters
  }()
}

extension MesmerPostprocessing {
  /// What `multiplex_postprocess_consumer` does.
  static let namedInJob: MesmerPostprocessing = {
    var wholeCell = DeepWatershedParameters.mesmerWholeCell
    wholeCell.maximaThreshold = 0.1
    wholeCell.interiorThreshold = 0.3
    var nuclear = DeepWatershedParameters.mesmerNuclear
    nuclear.interiorThreshold = 0.6
    nuclear.interiorSmooth = 0
    return MesmerPostprocessing(wholeCell: wholeCell, nuclear: nuclear)
  }()
}
