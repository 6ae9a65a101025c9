/// An array that does not have the shape or type an operation needs.
public struct ArrayError: Error, CustomStringConvertible, Equatable {
  public enum Code: String, Sendable { case shapeMismatch, typeMismatch, tooLarge }

  public let code: Code
  /// What was found, what was needed, and where.
  public let reason: String

  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }

  public var description: String { reason }
}
