import Foundation

extension S3Server {
  /// What a server answered to the program `curl`.
  public struct Answer: Sendable {
    public var status: Int
    public var body: String
  }

  /// What makes the program `curl` sign a request to this server.
  public func curlSignature(secret: String? = nil) -> [String] {
    [
      "--aws-sigv4", "aws:amz:\(region):s3", "--user",
      "\(accessKeyID):\(secret ?? secretAccessKey)",
      "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
    ]
  }

  /// Makes a request with the program `curl`, which is a witness for our own client.
  ///
  /// - Parameters:
  ///   - path: bucket and key, percent-encoded where needed.
  ///   - body: sent with `PUT`.
  ///   - fields: header lines.
  ///   - secret: another than the server's; empty for a request without signature.
  ///   - proxy: the endpoint to ask instead of the server's.
  public func curl(
    _ method: String, _ path: String, body: String? = nil, fields: [String] = [],
    secret: String? = nil, through proxy: String? = nil
  ) async throws -> Answer {
    var arguments = ["--silent", "--show-error", "--max-time", "30", "--noproxy", "*"]
    arguments += ["--request", method, "--write-out", "\n%{http_code}"]
    if secret != "" { arguments += curlSignature(secret: secret) }
    if let body {
      arguments += ["--data-binary", body] + ["--header", "Content-Type: text/plain"]
    }
    for field in fields { arguments += ["--header", field] }
    if let certificates { arguments += ["--cacert", certificates.authorityFile] }
    let output = try await runTool("curl", arguments + ["\(proxy ?? endpoint)/\(path)"])
    guard let end = output.lastIndex(of: "\n"),
      let status = Int(output[output.index(after: end)...])
    else { throw TestSupportError("curl says: \(output)") }
    return Answer(status: status, body: String(output[..<end]))
  }
}
