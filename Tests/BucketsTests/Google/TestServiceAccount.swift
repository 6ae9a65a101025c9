import Foundation
import TestSupport

@testable import Buckets

/// A service account with a key of its own, made by the program `openssl`.
final class TestServiceAccount: Sendable {
  static let email = "worker@project-1.iam.gserviceaccount.com"

  let pem: String
  private let folder: TemporaryFolder

  private init() async throws {
    folder = try TemporaryFolder()
    try await runTool(
      "openssl",
      [
        "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out",
        folder.file("k"),
      ])
    try await runTool(
      "openssl", ["pkey", "-in", folder.file("k"), "-pubout", "-out", folder.file("p")])
    pem = try String(contentsOfFile: folder.file("k"), encoding: .utf8)
  }

  private static let one = Task { try await TestServiceAccount() }

  /// Keys take a while to make; one does for all tests.
  static var shared: TestServiceAccount { get async throws { try await one.value } }

  /// The text of a credentials file.
  func file(tokenURL: String, _ changes: [String: String?] = [:]) throws -> Data {
    var fields: [String: String] = [
      "type": "service_account", "client_email": Self.email, "private_key": pem,
      "private_key_id": "key-7", "token_uri": tokenURL,
    ]
    for (name, value) in changes { fields[name] = value }
    return try JSONEncoder().encode(fields)
  }

  /// Asks `openssl` whether the key has signed a message.
  func hasSigned(_ message: String, _ signature: Data) async throws -> Bool {
    let folder = try TemporaryFolder()
    try Data(message.utf8).write(to: URL(filePath: folder.file("message")))
    try signature.write(to: URL(filePath: folder.file("signature")))
    let answer = try await runTool(
      "openssl",
      [
        "dgst", "-sha256", "-verify", self.folder.file("p"), "-signature",
        folder.file("signature"), folder.file("message"),
      ])
    return answer.contains("Verified OK")
  }
}

/// A form as it is sent.
func formFields(_ body: [UInt8]) -> [String: String] {
  Dictionary(
    String(decoding: body, as: UTF8.self).split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]).removingPercentEncoding ?? "")
    }, uniquingKeysWith: { $1 })
}
