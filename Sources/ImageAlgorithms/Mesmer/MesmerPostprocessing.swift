import Arrays

/// How Mesmer's answers are turned into labels.
public struct MesmerPostprocessing: Sendable, Hashable {
  /// What is labelled; the raw values are those of a job.
  public enum Compartment: String, Sendable, Hashable, CaseIterable {
    case wholeCell = "whole-cell"
    case nuclear
    case both
  }

  public var compartment: Compartment
  public var wholeCell: DeepWatershedParameters
  public var nuclear: DeepWatershedParameters

  public init(
    compartment: Compartment = .wholeCell, wholeCell: DeepWatershedParameters = .mesmerWholeCell,
    nuclear: DeepWatershedParameters = .mesmerNuclear
  ) {
    self.compartment = compartment
    self.wholeCell = wholeCell
    self.nuclear = nuclear
  }

  /// How many outputs the model has.
  public static let headCount = 4

  /// Labels cells, nuclei or both.
  ///
  /// - Parameter heads: the model's 4 outputs in the order of their names, each `[batch, row, column,
  ///   channel]`: for whole cells, then for nuclei, the distance to the centre (channel 0) and the classes
  ///   (channel 1 is the interior). Those of a compartment that is not asked for are not looked at.
  /// - Returns: `[batch, row, column, compartment]`: whole cells, nuclei, or both in this order; 0 is
  ///   background, labels are 1... without gaps per item and compartment.
  /// - Throws: ``ImageError`` when there are not 4 outputs, or shapes, values or parameters do not
  ///   allow it; `CancellationError` between the steps.
  /// - Source: deepcell 0.12.10, `mesmer_postprocess`, pixel by pixel.
  public func labels(_ heads: [NDArray<Float>]) throws -> NDArray<Int32> {
    guard heads.count == Self.headCount else {
      throw ImageError(
        .unexpectedModelOutput,
        "Mesmer's labels are made from \(Self.headCount) outputs, but the model has \(heads.count)")
    }
    switch compartment {
    case .wholeCell: return try labels(heads[0], heads[1], wholeCell)
    case .nuclear: return try labels(heads[2], heads[3], nuclear)
    case .both:
      return try lastAxisJoined([
        labels(heads[0], heads[1], wholeCell), labels(heads[2], heads[3], nuclear),
      ])
    }
  }

  private func labels(
    _ distance: NDArray<Float>, _ classes: NDArray<Float>, _ parameters: DeepWatershedParameters
  ) throws -> NDArray<Int32> {
    guard classes.rank == 4, classes.shape[3] >= 2 else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model's classes have shape \(classes.shape.tupleDescription); the interior is their "
          + "channel 1 along the axes (batch, row, column, channel)")
    }
    return try deepWatershed(
      maxima: distance, interior: classes.channel(1).expandingDimensions(at: 3),
      parameters: parameters)
  }
}

/// Arrays that agree but for the last axis as one, `[..., all their channels]`.
///
/// - Throws: ``ImageError`` when they do not agree.
func lastAxisJoined<Element>(
  _ arrays: [NDArray<Element>]
) throws(ImageError) -> NDArray<Element> {
  guard let first = arrays.first else { return NDArray(shape: [0]) }
  if arrays.count == 1 { return first }
  for array in arrays {
    guard array.rank > 0, array.rank == first.rank,
      array.shape.dropLast() == first.shape.dropLast()
    else {
      throw ImageError(
        .unexpectedModelOutput,
        "outputs of shapes \(first.shape.tupleDescription) and \(array.shape.tupleDescription) "
          + "cannot be put side by side")
    }
  }
  let channels = arrays.reduce(0) { $0 + $1.shape[$1.rank - 1] }
  return NDArray(uninitialized: first.shape.dropLast() + [channels]) { output in
    var start = 0
    for array in arrays {
      let own = array.shape[array.rank - 1]
      array.withUnsafeBuffer { input in
        for channel in 0..<own {
          var to = start + channel
          for from in stride(from: channel, to: input.count, by: own) {
            output[to] = input[from]
            to += channels
          }
        }
      }
      start += own
    }
  }
}
