import Subprocess

/// Runs a program to its end and returns its standard output.
///
/// - Throws: ``TestSupportError`` with what it wrote when it fails or takes longer than a minute.
@discardableResult
public func runTool(
  _ executable: String, _ arguments: [String], workingDirectory: String? = nil
) async throws -> String {
  try await within(.seconds(60), executable) {
    let result = try await run(
      .name(executable), arguments: .init(arguments),
      workingDirectory: workingDirectory.map { .init($0) }, output: .string(limit: 1 << 24),
      error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
      throw TestSupportError(
        "\(executable) \(arguments.joined(separator: " ")): \(result.terminationStatus): "
          + result.standardError)
    }
    return result.standardOutput
  }
}
