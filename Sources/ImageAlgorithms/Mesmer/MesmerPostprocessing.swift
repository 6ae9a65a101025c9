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
    try Self.requireHeads(heads.count)
    return try lastAxisJoined(
      compartment.parts.map { part in
        let (distance, classes) = (heads[part.distanceHead], heads[part.classesHead])
        guard classes.rank == 4, classes.shape[3] > MesmerPart.interiorClass else {
          throw ImageError(
            .unexpectedModelOutput,
            "the model's classes have shape \(classes.shape.tupleDescription); the interior is their "
              + "channel 1 along the axes (batch, row, column, channel)")
        }
        let interior = classes.channel(MesmerPart.interiorClass).expandingDimensions(at: 3)
        return try labels(of: part, distance: distance, interior: interior)
      })
  }

  static func requireHeads(_ count: Int) throws(ImageError) {
    guard count == headCount else {
      throw ImageError(
        .unexpectedModelOutput,
        "Mesmer's labels are made from \(headCount) outputs, but the model has \(count)")
    }
  }

  /// Labels the cells, or the nuclei.
  ///
  /// - Parameters:
  ///   - distance: `[batch, row, column, channel]`, high at the centre in channel 0.
  ///   - interior: likewise, high inside.
  func labels(
    of part: MesmerPart, distance: NDArray<Float>, interior: NDArray<Float>
  ) throws -> NDArray<Int32> {
    try deepWatershed(
      maxima: distance, interior: interior,
      parameters: part == .wholeCell ? wholeCell : nuclear)
  }
}

/// What is labelled of a cell, and which outputs of the model say where it is.
enum MesmerPart: Sendable, Hashable {
  case wholeCell
  case nucleus

  /// Among the outputs in the order of their names.
  var distanceHead: Int { self == .wholeCell ? 0 : 2 }
  var classesHead: Int { distanceHead + 1 }
  /// The class that is the interior.
  static let interiorClass = 1
}

extension MesmerPostprocessing.Compartment {
  /// In the order of the result's channels.
  var parts: [MesmerPart] {
    switch self {
    case .wholeCell: [.wholeCell]
    case .nuclear: [.nucleus]
    case .both: [.wholeCell, .nucleus]
    }
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
