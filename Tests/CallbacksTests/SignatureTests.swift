import TestSupport
import Testing

@testable import Callbacks
@testable import CurlClient

@Suite struct SignatureTests {
  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// RFC 4231, test cases 2 and, as far as keys are text, 1, 6 and 7.
  @Test(arguments: [
    (
      "Jefe", "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      String(repeating: "\u{0b}", count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
  ]) func `the authentication code is that of the standard`(
    key: String, message: String, code: String
  ) throws {
    let secret = try #require(CallbackSecret(key))
    #expect(hexadecimal(secret.authenticationCode(Array(message.utf8))) == code)
  }

  @Test func `a receiver computes the same signature with openssl`() async throws {
    let folder = try TemporaryFolder()
    let signature = try #require(CallbackSecret("s3cret"))
      .signature(timestamp: "1795311600", body: Array(#"{"id":"é"}"#.utf8))
    let script =
      #"printf '%s' '1795311600.{"id":"é"}' | openssl dgst -sha256 -hmac s3cret -r > out"#
    try await runTool("sh", ["-c", script], workingDirectory: folder.path)
    let digest = try String(contentsOfFile: folder.file("out"), encoding: .utf8).prefix(64)
    #expect(signature == "v1=" + digest)
  }

  @Test func `a secret shows itself nowhere`() throws {
    let secret = try #require(CallbackSecret("s3cret"))
    var shown = "\(secret) \(String(reflecting: secret))"
    dump(secret, to: &shown)
    dump(CallbackSettings(secret: secret, addresses: try AddressGuard()), to: &shown)
    #expect(!shown.contains("s3cret") && !shown.contains("115"))
    #expect(CallbackSecret("") == nil)
  }

  @Test func `the pauses of all tries come to about an hour`() throws {
    let settings = CallbackSettings(addresses: try AddressGuard())
    let total = (1..<settings.maximumTries)
      .map { settings.retries.delay(beforeRetry: $0, fraction: 0.5) }.reduce(.zero, +)
    #expect(total > .seconds(50 * 60) && total < .seconds(70 * 60))
  }

  @Test func `an id is sent as one line whatever the job is called`() {
    #expect(
      CallbackDeliverer.fieldText("predict:a b\r\né%.tif:1:done")
        == "predict:a%20b%0D%0A%C3%A9%25.tif:1:done")
  }
}
