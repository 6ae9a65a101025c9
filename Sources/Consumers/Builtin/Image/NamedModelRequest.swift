import ImageAlgorithms
import JobQueue
import Serving

/// The model a job names, and what is to be done before and after it.
struct NamedModelRequest {
  let model: ModelName
  let application: ComposedApplication

  /// Nil when the job leaves the model to the settings.
  init?(_ job: Job) throws {
    guard let name = job[Field.modelName] else { return nil }
    guard let version = job[Field.modelVersion] else {
      throw JobError(
        .invalidInput, "the job names the model \(name) but no version of it; set model_version")
    }
    do {
      model = try ModelName("\(name):\(version)")
    } catch {
      throw JobError(.invalidInput, "model_name and model_version: \(error)")
    }
    let cuts = try Self.number(Field.cuts, of: job, in: 0...1024) ?? 0
    let fieldSize = try Self.number(Field.fieldSize, of: job, in: 1...4095) ?? 61
    guard cuts == 0 || fieldSize % 2 == 1 else {
      throw JobError(
        .invalidInput,
        "\(Field.fieldSize) \"\(fieldSize)\" is not an odd number: as many pixels are sent on both "
          + "sides of each one")
    }
    application = ComposedApplication(
      preprocessing: try NamedPreprocessing(list: job[Field.preprocessFunction] ?? ""),
      postprocessing: try NamedPostprocessing(list: job[Field.postprocessFunction] ?? ""),
      cuts: cuts, fieldSize: fieldSize)
  }

  private static func number(
    _ field: String, of job: Job, in range: ClosedRange<Int>
  ) throws -> Int? {
    guard let text = job[field] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw JobError(
        .invalidInput,
        "\(field) \"\(text.forReason)\" is not a whole number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }
}
