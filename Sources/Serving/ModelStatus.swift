/// The state of one version of a model on its server.
public struct ModelVersionStatus: Hashable, Sendable {
  public enum State: Int32, Sendable, CaseIterable {
    case unknown = 0
    case start = 10
    case loading = 20
    case available = 30
    case unloading = 40
    case end = 50
  }

  public let version: Int
  public let state: State
  /// Why the version failed, with state `end`; `OK` otherwise.
  public let code: StatusCode
  public let message: String

  public init(version: Int, state: State, code: StatusCode = .ok, message: String = "") {
    self.version = version
    self.state = state
    self.code = code
    self.message = message
  }
}
