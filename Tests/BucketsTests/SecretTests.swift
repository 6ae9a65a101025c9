import Testing

@testable import Buckets

@Suite struct SecretTests {
  @Test func `a secret does not show`() {
    struct Credential {
      let name = "AKIDEXAMPLE"
      let secret = Secret("wJalrXUtnFEMI")
    }
    var dumped = ""
    dump(Credential(), to: &dumped)
    let secret = Secret("wJalrXUtnFEMI")
    for text in ["\(secret)", String(reflecting: secret), "\(Credential())", dumped] {
      #expect(!text.contains("wJalrXUtnFEMI"))
    }
    #expect("\(secret)" == "***")
    #expect(secret.revealed == "wJalrXUtnFEMI")
  }
}
