/// A function that a job can ask for by name.
protocol NamedFunction: RawRepresentable<String>, CaseIterable {
  /// What is done when a job names nothing.
  static var none: Self { get }
  /// When it is called: `pre-processing` or `post-processing`.
  static var stage: String { get }
  /// Names from older versions for what is not done here, each with the reason.
  static var unsupported: [String: String] { get }
}

extension NamedFunction {
  /// Reads a job's comma-separated list of names.
  ///
  /// - Throws: ``ImageError`` when a name is not known, what it stands for is not supported, or there is
  ///   more than one.
  static func parsed(_ list: String) throws(ImageError) -> Self {
    var function: Self?
    for entry in list.split(separator: ",") {
      let name = String(entry.trimmingWhitespace)
      if name.isEmpty { continue }
      if let reason = unsupported[name] {
        throw ImageError(
          .invalidParameter, "the \(stage) function \"\(name)\" is not supported: \(reason)")
      }
      guard let next = Self(rawValue: name) else {
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        throw ImageError(
          .invalidParameter,
          "\"\(name)\" is not a valid \(stage) function; choose one of: \(known)")
      }
      guard function == nil else {
        throw ImageError(
          .invalidParameter,
          "a job can have one \(stage) function, but \"\(list)\" names more than one")
      }
      function = next
    }
    return function ?? none
  }
}

extension Substring {
  fileprivate var trimmingWhitespace: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
