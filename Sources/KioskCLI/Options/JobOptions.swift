import ArgumentParser
import JobQueue

/// What kind of job, and how the image is to be seen.
struct JobOptions: ParsableArguments {
  private static let compartments = ["whole-cell", "nuclear", "both"]
  private static let segmentationTypes = ["none", "tissue", "cell culture"]

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Type of job, which is the queue's name.", valueName: "type"),
    completion: .list(["segmentation", "mesmer", "caliban", "polaris", "spot"]))
  var type: String

  @Option(
    help: ArgumentHelp(
      "Model and version, instead of those the service is set up with.", valueName: "name:version"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Function before the model, by a name that the service knows.", valueName: "function"))
  var preprocess: String?

  @Option(
    help: ArgumentHelp(
      "Function after the model, by a name that the service knows.", valueName: "function"))
  var postprocess: String?

  @Option(
    help: ArgumentHelp(
      "Pieces per side that the image is cut into for the model; 0 does not cut.", valueName: "n"))
  var cuts: Int?

  @Option(
    help: ArgumentHelp(
      "Pixels that the model sees around each one, for the margins of pieces.", valueName: "n"))
  var fieldSize: Int?

  @Option(
    help: ArgumentHelp(
      "How much larger the image's pixels are than those the model was trained on.",
      valueName: "factor"))
  var scale: String?

  @Option(help: ArgumentHelp("Kind of data that the model is for.", valueName: "number"))
  var label: String?

  @Option(
    help: ArgumentHelp(
      "Channel for each model, as 0,1 or ,0; an empty place leaves a model out.",
      valueName: "list"))
  var channels: String?

  @Option(help: ArgumentHelp("Order of the image's axes, as XYB or CXY.", valueName: "letters"))
  var dimensionOrder: String?

  @Option(
    help: ArgumentHelp("none, tissue or \"cell culture\".", valueName: "type"),
    completion: .list(segmentationTypes))
  var segmentationType: String?

  @Option(
    help: ArgumentHelp("What mesmer jobs label: whole-cell, nuclear or both.", valueName: "part"),
    completion: .list(compartments))
  var compartment: String?

  @Option(help: ArgumentHelp("Folder of the bucket for the inputs.", valueName: "folder"))
  var uploadPrefix = "uploads"

  @Flag(help: "Take the images of folders and the folders in them, without hidden ones.")
  var recursive = false

  @Option(help: ArgumentHelp("Files sent or fetched at a time.", valueName: "n"))
  var jobs = 4

  @Flag(help: "Show what would be submitted; connect to nothing.")
  var dryRun = false

  func validate() throws {
    guard !type.isEmpty, !type.contains(where: { $0 == ":" || $0.isWhitespace }) else {
      throw ValidationError("--type is the name of a queue, without blanks and colons")
    }
    if let model {
      let parts = model.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, let version = Int(parts[1]), version >= 0 else {
        throw ValidationError("--model is a name and a version, as NuclearSegmentation:6")
      }
    }
    if let scale, !scale.isEmpty {
      guard let number = Double(scale), number > 0, number.isFinite else {
        throw ValidationError("--scale is a number above 0")
      }
    }
    if let label, !label.isEmpty, Int(label) == nil {
      throw ValidationError("--label is a whole number")
    }
    if let channels, !channels.isEmpty {
      let slots = channels.split(separator: ",", omittingEmptySubsequences: false)
      guard slots.allSatisfy({ $0.isEmpty || Int($0).map { $0 >= 0 } == true }),
        slots.contains(where: { !$0.isEmpty })
      else { throw ValidationError("--channels is a list of numbers, as 0,1,2 or 0, or ,1") }
    }
    if let dimensionOrder, !dimensionOrder.isEmpty {
      let letters = Set(dimensionOrder)
      guard letters.count == dimensionOrder.count, letters.isSubset(of: "XYZBTC"),
        letters.isSuperset(of: "XY")
      else { throw ValidationError("--dimension-order has X, Y and at most B, C, T, Z, each once") }
    }
    if let segmentationType, !segmentationType.isEmpty {
      guard Self.segmentationTypes.contains(segmentationType) else {
        throw ValidationError("--segmentation-type is none, tissue or \"cell culture\"")
      }
    }
    if let compartment, !compartment.isEmpty, !Self.compartments.contains(compartment) {
      throw ValidationError("--compartment is whole-cell, nuclear or both")
    }
    if let cuts, !(0...1024).contains(cuts) {
      throw ValidationError("--cuts is a whole number between 0 and 1024")
    }
    if let fieldSize, !(1...4095).contains(fieldSize) || fieldSize % 2 == 0 {
      throw ValidationError("--field-size is an odd number between 1 and 4095")
    }
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs is between 1 and 64") }
  }

  var queue: String { type.lowercased() }

  /// The fields of the job's hash that options set.
  var fields: [String: String] {
    let model = model?.split(separator: ":").map(String.init)
    return [
      Field.modelName: model?.first, Field.modelVersion: model?.last,
      Field.preprocessFunction: preprocess, Field.postprocessFunction: postprocess,
      Field.cuts: cuts.map(String.init), Field.fieldSize: fieldSize.map(String.init),
      Field.scale: scale, Field.label: label, Field.channels: channels,
      Field.dimensionOrder: dimensionOrder, Field.segmentationType: segmentationType,
      Field.compartment: compartment,
    ].compactMapValues { $0 }
  }
}
