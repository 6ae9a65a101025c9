import CZlib
import Foundation
import TestSupport
import Testing

@testable import Buckets

@Suite struct ChecksumTests {
  private let published = Array("123456789".utf8)

  @Test(arguments: [
    (ChecksumAlgorithm.crc32, "cbf43926"), (.crc32c, "e3069283"), (.crc64nvme, "ae8b14860a799888"),
    (.md5, "25f9e794323b453885f5181f1b624d0b"),
    (.sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
  ])
  func `the published check values come out`(
    algorithm: ChecksumAlgorithm, hexadecimal: String
  ) throws {
    #expect(try Checksum.value(of: published, by: algorithm).hexadecimal == hexadecimal)
  }

  @Test func `iSCSI's test vectors of CRC-32C come out`() throws {
    func sum(_ bytes: [UInt8]) throws -> String {
      try Checksum.value(of: bytes, by: .crc32c).hexadecimal
    }
    #expect(try sum([UInt8](repeating: 0, count: 32)) == "8a9136aa")
    #expect(try sum([UInt8](repeating: 0xff, count: 32)) == "62a8ab43")
    #expect(try sum(Array(0..<32)) == "46dd794e")
    #expect(try sum((0..<32).reversed()) == "113fdb5c")
  }

  @Test func `values are in base64 as stores write them`() throws {
    #expect(try Checksum.value(of: published, by: .crc32c).base64 == "4waSgw==")
    #expect(try Checksum.value(of: published, by: .crc64nvme).base64 == "rosUhgp5mIg=")
    let hello = Array("hello".utf8)
    #expect(try Checksum.value(of: hello, by: .md5).base64 == "XUFAKrxLKna5cZ2REBfFkg==")
  }

  @Test(arguments: ChecksumAlgorithm.allCases)
  func `a value in base64 is read again`(algorithm: ChecksumAlgorithm) throws {
    let value = try Checksum.value(of: published, by: algorithm)
    #expect(ChecksumValue(base64: value.base64, algorithm) == value)
  }

  @Test(arguments: [
    "", "4waSgw", "4waSgw=", "4waSgw==\n", " 4waSgw==", "4waSgx==", "4wa*gw==", "4waSg+==",
    "4waSgw==-2", "4waSgwA=", "4w==SgwA",
  ])
  func `text that is no CRC-32C in base64 has no value`(text: String) {
    #expect(ChecksumValue(base64: text, .crc32c) == nil)
  }

  @Test(arguments: 0..<100)
  func `bytes may come in any pieces`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = randomBytes(Int.random(in: 0...5000, using: &random), &random)
    for algorithm in ChecksumAlgorithm.allCases {
      var checksum = try Checksum(algorithm)
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Int.random(in: 0...min(rest.count, 700), using: &random)
        checksum.update(with: rest.prefix(count))
        rest = rest.dropFirst(count)
      }
      #expect(try checksum.value == Checksum.value(of: bytes, by: algorithm))
    }
  }

  @Test(arguments: ChecksumAlgorithm.allCases)
  func `a copy goes its own way and a value does not end the sum`(
    algorithm: ChecksumAlgorithm
  ) throws {
    var first = try Checksum(algorithm)
    first.update(with: published.prefix(4))
    var second = first
    let early = first.value
    first.update(with: published.dropFirst(4))

    #expect(second.value == early)
    #expect(try early == Checksum.value(of: published.prefix(4), by: algorithm))
    #expect(try first.value == Checksum.value(of: published, by: algorithm))
    second.update(with: published.dropFirst(4))
    #expect(first.value == second.value)
  }

  @Test func `a digest that the cryptography library refuses is an error`() throws {
    // What a library in FIPS mode answers to MD5: no provider has it with this property.
    let error = try #require(throws: BucketError.self) {
      _ = try Digest(.md5, properties: "fips=yes")
    }
    #expect(error.code == .invalidRequest)
    #expect(error.reason.contains("MD5"))
    #expect(error.reason.contains("STORAGE_S3_CHECKSUM"))
  }

  @Test func `headers have the names that S3 knows`() {
    #expect(ChecksumAlgorithm.md5.headerName == "content-md5")
    #expect(ChecksumAlgorithm.crc64nvme.headerName == "x-amz-checksum-crc64nvme")
    #expect(ChecksumAlgorithm.crc64nvme.amazonName == "CRC64NVME")
    #expect(ChecksumAlgorithm(rawValue: "sha256") == .sha256)
    #expect(ChecksumAlgorithm(rawValue: "SHA1") == nil)
  }
}

@Suite struct CRCTests {
  static let kinds = ChecksumAlgorithm.allCases.filter(\.isCombinable)

  @Test(arguments: 0..<200)
  func `tables and multiplication agree, from any byte to any byte`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = randomBytes(1500, &random)
    let start = Int.random(in: 0...100, using: &random)
    let end = Int.random(in: start...bytes.count, using: &random)
    let before = UInt64(UInt32.random(in: 0...(.max), using: &random))
    bytes.withUnsafeBytes { all in
      let piece = UnsafeRawBufferPointer(rebasing: all[start..<end])
      for kind in Self.kinds {
        let byMultiplication = kind.crc?.update(before, with: piece)
        #expect(byMultiplication == kind.crc?.updateByTable(before, with: piece))
      }
      let zlib = crc32(0, piece.baseAddress, UInt32(piece.count))
      #expect(CRC.crc32.update(0, with: piece) == UInt64(piece.isEmpty ? 0 : zlib))
    }
  }

  @Test(arguments: 0..<200)
  func `the sum of a whole follows from those of its parts`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = randomBytes(Int.random(in: 0...3000, using: &random), &random)
    for kind in Self.kinds {
      var whole = try Checksum(kind).value
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int.random(in: 0...rest.count, using: &random))
        whole = whole.appending(try Checksum.value(of: part, by: kind), ofBytes: part.count)
        rest = rest.dropFirst(part.count)
      }
      #expect(try whole == Checksum.value(of: bytes, by: kind))
    }
  }

  @Test func `parts of many gigabytes combine`() {
    // zlib's own combination is the witness for lengths that no test can read.
    for count in [1, 1 << 20, 5 << 30, 1 << 45, Int.max] {
      let combined = CRC.crc32.combine(0x1234_5678, 0x9abc_def0, ofBytes: count)
      #expect(combined == UInt64(crc32_combine(0x1234_5678, 0x9abc_def0, count)))
    }
  }
}

@Suite struct FileChecksumsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `several sums of a range take one pass`() throws {
    var random = SeededGenerator(seed: 7)
    let bytes = randomBytes(700_000, &random)
    let file = try open(bytes)
    defer { try? file.close() }
    for range in [0..<0, 0..<1, 0..<700_000, 3..<600_001, 700_000..<700_000] {
      let values = try FileChecksums.values(
        of: file.fileDescriptor, range: range, by: ChecksumAlgorithm.allCases)
      for value in values {
        #expect(try value == Checksum.value(of: bytes[range], by: value.algorithm))
      }
      #expect(values.map(\.algorithm) == ChecksumAlgorithm.allCases)
    }
  }

  @Test(arguments: 0..<30)
  func `sums of several ranges are those of each`(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let bytes = randomBytes(300_000, &random)
    let file = try open(bytes)
    defer { try? file.close() }
    // Also ends at, before and behind whole blocks of MD5 and of reading.
    let count = [0, 1, 55, 56, 64, 65_535, 65_536, 65_537].randomElement(using: &random) ?? 0
    let length = Bool.random(using: &random) ? count : Int.random(in: 0...70_000, using: &random)
    var ranges = (0..<Int.random(in: 0...9, using: &random)).map { _ in
      let start = Int.random(in: 0...bytes.count - length, using: &random)
      return start..<start + length
    }
    if Bool.random(using: &random) { ranges.append(bytes.count - 100..<bytes.count) }
    for algorithms in [[ChecksumAlgorithm.md5], [.sha256, .md5], [.crc32c]] {
      let values = try FileChecksums.values(
        of: file.fileDescriptor, ranges: ranges, by: algorithms)
      let expected = try ranges.map { range in
        try algorithms.map { try Checksum.value(of: bytes[range], by: $0) }
      }
      #expect(values == expected)
    }
  }

  @Test func `a file that is shorter than it was is an error`() throws {
    let file = try open([1, 2, 3])
    defer { try? file.close() }
    let error = try #require(throws: BucketError.self) {
      _ = try FileChecksums.values(of: file.fileDescriptor, range: 1..<9, by: [.sha256])
    }
    #expect(error.reason.contains("it ends at byte 3"))
    #expect(throws: BucketError.self) {
      _ = try FileChecksums.values(
        of: file.fileDescriptor, ranges: [0..<2, 2..<4], by: [.md5])
    }
  }

  @Test func `a cancelled pass ends`() async throws {
    let file = try open([1, 2, 3])
    defer { try? file.close() }
    let descriptor = file.fileDescriptor
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try FileChecksums.values(of: descriptor, range: 0..<3, by: [.crc32c])
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  private func open(_ bytes: [UInt8]) throws -> FileHandle {
    let path = folder.file("data")
    try Data(bytes).write(to: URL(filePath: path))
    return try #require(FileHandle(forReadingAtPath: path))
  }
}

private func randomBytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
  (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
}
