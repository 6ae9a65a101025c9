import TestSupport
import Testing

@testable import CurlClient

@Suite struct AddressTests {
  @Test(arguments: [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
    "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
    "ff02::1",
  ]) func `an address that is not public is refused`(text: String) throws {
    let address = try #require(IPAddress(text))
    #expect(!address.isPublic)
    #expect(!AddressGuard().allows(address, host: "example.com", port: 443))
  }

  @Test(arguments: [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "223.255.255.255",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2606:4700::1111",
    "2a00:1450:4001::200e",
  ]) func `a public address is allowed`(text: String) throws {
    let address = try #require(IPAddress(text))
    #expect(AddressGuard().allows(address, host: "example.com", port: 443))
  }

  @Test func `exceptions hold for what they name and nothing else`() throws {
    let guarded = try AddressGuard(except: [
      "10.1.0.0/16", "192.168.1.7:8080", "Hooks.", "other:81", "*.lab.example", "fd00::/8",
      "[::1]:80",
    ])
    func allows(_ address: String, _ host: String, _ port: Int) throws -> Bool {
      guarded.allows(try #require(IPAddress(address)), host: host, port: port)
    }
    #expect(try allows("10.1.2.3", "a", 80) && !allows("10.2.0.0", "a", 80))
    #expect(try allows("::ffff:10.1.2.3", "a", 80))
    #expect(try allows("192.168.1.7", "a", 8080) && !allows("192.168.1.7", "a", 80))
    #expect(try allows("127.0.0.1", "hooks", 80) && !allows("127.0.0.1", "hooks.evil", 80))
    #expect(try allows("127.0.0.1", "other", 81) && !allows("127.0.0.1", "other", 80))
    #expect(try allows("127.0.0.1", "a.lab.example", 1) && !allows("127.0.0.1", "lab.example", 1))
    #expect(try allows("fd12::1", "a", 80) && !allows("fe80::1", "a", 80))
    #expect(try allows("::1", "a", 80) && !allows("::1", "a", 81))
  }

  @Test(arguments: [
    "", "10.0.0.0/33", "10.0.0/8", "/8", "host:", "host:0", "host:65536", "host:x", "a b", "*.",
    "http://host", "10.0.0.0/8:80", "::ffff:0:0/96", "host/8",
  ]) func `an exception that cannot be read is an error that names it`(text: String) throws {
    let error = try #require(throws: HTTPError.self) { try AddressGuard(except: ["ok", text]) }
    #expect(error.code == .invalidRequest)
    #expect(error.reason.contains(text.debugDescription))
  }

  @Test(arguments: 0..<200) func `a range holds what shares its first bits`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let bytes = (0..<4).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let length = Int.random(in: 0...32, using: &generator)
    let other = (0..<4).map { index in
      bytes[index]
        ^ (Bool.random(using: &generator)
          ? UInt8(1) << UInt8.random(in: 0...7, using: &generator) : 0)
    }
    func bits(_ bytes: [UInt8]) -> String {
      bytes.map { byte in
        let text = String(byte, radix: 2)
        return String(repeating: "0", count: 8 - text.count) + text
      }.joined()
    }
    let range = IPRange("\(bytes.map(String.init).joined(separator: "."))/\(length)")
    #expect(
      range?.contains(IPAddress(bytes: other))
        == (bits(bytes).prefix(length) == bits(other).prefix(length)))
  }
}
