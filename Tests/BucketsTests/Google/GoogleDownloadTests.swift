import CDeflate
import Foundation
import TestSupport
import Testing

@testable import Buckets

@Suite struct GoogleDownloadTests {
  private static let key = "uploads/in.tif"

  private func rig(_ count: Int) async throws -> (GoogleRig, [UInt8]) {
    let rig = try await GoogleRig()
    let bytes = GoogleRig.bytes(count)
    try rig.fake.put(bytes, as: Self.key)
    return (rig, bytes)
  }

  @Test func `large objects come in parts of one generation`() async throws {
    let (rig, bytes) = try await rig(1_200_000)
    let generation = try #require(rig.fake[Self.key]?.generation)
    #expect(try await rig.download(Self.key, try rig.bucket()) == bytes)
    let reads = rig.fake.requests(.media)
    #expect(reads.count == 5)
    #expect(reads[0].fields["range"] == "bytes=0-299999")
    #expect(reads.dropFirst().allSatisfy { $0.query["generation"] == "\(generation)" })
    #expect(reads.allSatisfy { $0.fields["accept-encoding"] == "gzip" })
  }

  @Test func `an object that is replaced meanwhile is read anew once`() async throws {
    let (rig, bytes) = try await rig(1_200_000)
    let bucket = try rig.bucket { $0.transfers.concurrency = 1 }
    let newer = GoogleRig.bytes(1_000_000, seed: 5)
    let fake = rig.fake
    rig.fake.always { [weak fake] request in
      if request.query["generation"] != nil, fake?[Self.key]?.bytes.count == bytes.count {
        try? fake?.put(newer, as: Self.key)
      }
      return nil
    }
    #expect(try await rig.download(Self.key, bucket) == newer)
  }

  @Test func `what breaks on the way is fetched again`() async throws {
    let (rig, bytes) = try await rig(1_200_000)
    rig.fake.script(
      .media, .busy(503), .cutResponse(after: 262_144), .busy(429, retryAfter: "3"),
      .resetResponse(after: 100), .loseAnswer, nil, .cutResponse(after: 0))
    #expect(try await rig.download(Self.key, try rig.bucket()) == bytes)
    #expect(rig.clock.sleeps.contains { $0 >= .seconds(3) })
    #expect(try rig.leftovers.isEmpty)
  }

  @Test func `what stands still is begun anew`() async throws {
    let (rig, bytes) = try await rig(1_200_000)
    let bucket = try rig.bucket { $0.transfers.stallTimeout = .seconds(1) }
    rig.fake.script(.media, .stall(after: 1000), .silence)
    rig.fake.script(.chunk, nil, .silence)
    async let downloaded = rig.download(Self.key, bucket)
    let stored = try await rig.upload(bytes, bucket)
    #expect(rig.fake[stored.key]?.bytes == bytes)
    #expect(try await downloaded == bytes)
  }

  @Test(arguments: [50_000, 1_200_000])
  func `damaged bytes are found by their sum, and fetched once more`(size: Int) async throws {
    let (rig, bytes) = try await rig(size)
    let bucket = try rig.bucket()
    rig.fake.script(.media, .damageResponse(at: 40_000))
    #expect(try await rig.download(Self.key, bucket) == bytes)

    rig.fake.always { $0.operation == .media ? .damageResponse(at: 7) : nil }
    let error = try await #require(throws: BucketError.self) {
      try await rig.download(Self.key, bucket)
    }
    #expect(error.code == .checksum && error.tries == 2)
    #expect(try rig.leftovers.isEmpty)
  }

  @Test func `without a sum the length must do`() async throws {
    let (rig, bytes) = try await rig(50_000)
    rig.fake.script(.media, .omit("x-goog-"))
    #expect(try await rig.download(Self.key, try rig.bucket()) == bytes)
  }

  @Test func `an empty object is an object`() async throws {
    let (rig, _) = try await rig(0)
    let bucket = try rig.bucket()
    #expect(try await rig.download(Self.key, bucket) == [])
    // Emulators may not tell the length.
    rig.fake.script(.media, .omit("Content-Range"))
    #expect(try await rig.download(Self.key, bucket) == [])
  }

  @Test func `what is too large is refused before it is read`() async throws {
    let (rig, bytes) = try await rig(1_200_000)
    let bucket = try rig.bucket()
    let error = try await #require(throws: BucketError.self) {
      try await rig.download(Self.key, limit: bytes.count - 1, bucket)
    }
    #expect(error.code == .tooLarge && error.tries == 1)
    #expect(try rig.leftovers.isEmpty)
    #expect(try await rig.download(Self.key, limit: bytes.count, bucket) == bytes)
  }

  @Test func `what is not there, or not for us, ends at once`() async throws {
    let (rig, _) = try await rig(10)
    let bucket = try rig.bucket()
    var error = try await #require(throws: BucketError.self) {
      try await rig.download("uploads/no.tif", bucket)
    }
    #expect(error.code == .notFound && error.tries == 1)
    #expect(error.description.contains("uploads/no.tif does not exist"))
    rig.fake.deny([.media])
    error = try await #require(throws: BucketError.self) {
      try await rig.download(Self.key, bucket)
    }
    #expect(error.code == .accessDenied && error.answer?.requestID == "request-0")
    let other = try rig.bucket { $0.bucket = "another" }
    error = try await #require(throws: BucketError.self) { try await rig.download(Self.key, other) }
    #expect(error.code == .server && !error.isRetryable)
    #expect(error.description.contains("the bucket another does not exist"))
    #expect(rig.clock.sleeps.isEmpty)
  }

  // MARK: Compressed objects

  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let compressor = try #require(libdeflate_alloc_compressor(6))
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_gzip_compress(compressor, bytes, bytes.count, buffer.baseAddress, bound)
    }
  }

  @Test(arguments: [0, 1000, 800_000])
  func `objects that are stored compressed are unpacked after the check`(size: Int) async throws {
    let rig = try await GoogleRig()
    let bucket = try rig.bucket()
    let bytes = GoogleRig.bytes(size) + [UInt8](repeating: 7, count: size)
    try rig.fake.put(bytes, as: Self.key, compressed: gzip(bytes))
    #expect(try await rig.download(Self.key, bucket) == bytes)
    // Several members in a row are one file.
    try rig.fake.put(bytes + bytes, as: Self.key, compressed: gzip(bytes) + gzip(bytes))
    #expect(try await rig.download(Self.key, bucket) == bytes + bytes)
    #expect(try rig.leftovers.isEmpty)
  }

  @Test func `a compressed object may not become larger than allowed`() async throws {
    let rig = try await GoogleRig()
    let bytes = [UInt8](repeating: 0, count: 5_000_000)
    try rig.fake.put(bytes, as: Self.key, compressed: gzip(bytes))
    let error = try await #require(throws: BucketError.self) {
      try await rig.download(Self.key, limit: bytes.count - 1, try rig.bucket())
    }
    #expect(error.code == .tooLarge)
    #expect(try rig.leftovers.isEmpty)
  }

  @Test func `what is called compressed and is not is an error`() async throws {
    let rig = try await GoogleRig()
    let packed = try gzip(GoogleRig.bytes(1000))
    for wrong in [Array("no gzip".utf8), Array(packed.dropLast(4)), packed + [1, 2, 3]] {
      try rig.fake.put([], as: Self.key, compressed: wrong)
      let error = try await #require(throws: BucketError.self) {
        try await rig.download(Self.key, try rig.bucket())
      }
      #expect(error.code == .invalidRequest && error.description.contains("is not gzip"))
    }
    #expect(try rig.leftovers.isEmpty)
  }

  @Test func `a store that unpacks nevertheless is believed`() async throws {
    let rig = try await GoogleRig()
    let bytes = GoogleRig.bytes(700_000)
    try rig.fake.put(bytes, as: Self.key, compressed: gzip(bytes))
    rig.fake.unpacksAlways = true
    #expect(try await rig.download(Self.key, try rig.bucket()) == bytes)
  }

  // MARK: Small requests

  @Test func `removing what is not there is no error`() async throws {
    let (rig, _) = try await rig(10)
    let bucket = try rig.bucket()
    rig.fake.script(.delete, .busy(503), .loseAnswer)
    try await bucket.delete(ObjectKey(Self.key))
    #expect(rig.fake.names.isEmpty)
    try await bucket.delete(ObjectKey(Self.key))
    await #expect(throws: BucketError.self) {
      try await rig.bucket { $0.bucket = "another" }.delete(ObjectKey(Self.key))
    }
  }

  @Test func `a check needs no object and no right to list`() async throws {
    let (rig, _) = try await rig(10)
    let bucket = try rig.bucket()
    try await bucket.check()
    try rig.fake.put([], as: "output/.check")
    try await bucket.check()
    #expect(rig.fake.requests.count == 2)
    #expect(rig.fake.requests.allSatisfy { $0.fields["range"] == "bytes=0-0" })
    rig.fake.deny([.media])
    try await bucket.check()
    #expect(rig.log.count { $0.hasPrefix("warning") && $0.contains("cannot be read") } == 1)
    let error = try await #require(throws: BucketError.self) {
      try await rig.bucket { $0.bucket = "another" }.check()
    }
    #expect(error.code == .server && error.description.contains("check STORAGE_BUCKET"))
  }

  @Test func `URLs of the bucket are its keys`() async throws {
    let rig = try await GoogleRig()
    let bucket = try rig.bucket { $0.urls.baseURL = "https://files.example.org/x" }
    for name in [
      "gs://test-bucket/uploads/a%20b.tif", "\(rig.fake.url)/test-bucket/uploads/a%20b.tif",
      "https://storage.googleapis.com/test-bucket/uploads/a%20b.tif?x=1",
      "https://test-bucket.storage.googleapis.com/uploads/a%20b.tif",
      "https://files.example.org/x/uploads/a%20b.tif", "uploads/a b.tif",
    ] {
      #expect(try bucket.key(named: name).text == "uploads/a b.tif", "\(name)")
    }
    for name in ["gs://other/a", "https://storage.googleapis.com/other/a", "s3://test-bucket/a"] {
      #expect(throws: BucketError.self) { try bucket.key(named: name) }
    }
  }

  @Test func `what results are found by can be chosen`() async throws {
    let rig = try await GoogleRig()
    let key = try ObjectKey("output/a b+é.zip")
    let quoted = "output/a%20b%2B%C3%A9.zip"
    func url(_ change: (inout GoogleSettings) -> Void) throws -> String {
      try rig.bucket(change).url(for: key)
    }
    let emulator = "\(rig.fake.url)/test-bucket/\(quoted)"
    #expect(try url { _ in } == emulator)
    #expect(try url { $0.urls.form = .presigned } == emulator)
    #expect(try url { $0.urls.form = .uri } == "gs://test-bucket/\(quoted)")
    #expect(try url { $0.urls.baseURL = "https://cdn.example" } == "https://cdn.example/\(quoted)")
    let real = try url {
      $0.emulator = nil
      $0.credentials.isAnonymous = true
    }
    #expect(real == "https://storage.googleapis.com/test-bucket/\(quoted)")
  }

  @Test(arguments: ["user:tell-nobody-1@host:4443", "http://host/?tell-nobody-1", "ftp://host", ""])
  func `an address that is none is refused, and not shown`(address: String) async throws {
    let rig = try await GoogleRig()
    for setting in ["STORAGE_EMULATOR_HOST", "STORAGE_PUBLIC_BASE_URL"] {
      let error = try #require(throws: BucketError.self) {
        try rig.bucket { settings in
          if setting == "STORAGE_EMULATOR_HOST" {
            settings.emulator = address
          } else {
            settings.urls.baseURL = address
          }
        }
      }
      #expect(error.code == .invalidRequest && error.reason.contains(setting))
      #expect(!error.reason.contains("tell-nobody"))
    }
  }
}
