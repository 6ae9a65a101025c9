extension ImageError {
  /// An answer that nothing can be computed with.
  static let notFiniteOutput = ImageError(
    .unexpectedModelOutput,
    "the model answered values that are not a number (NaN) or infinite")
}

/// Runs what is done with a model's answer. The image was finite, so whatever is not comes from the
/// model.
func blamingModel<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as ImageError where error.code == .notFinite {
    throw ImageError.notFiniteOutput
  }
}
