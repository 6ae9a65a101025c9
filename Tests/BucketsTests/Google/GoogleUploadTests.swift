import Foundation
import TestSupport
import Testing

@testable import Buckets

@Suite struct GoogleUploadTests {
  private static let chunk = GoogleRig.chunk

  private func rig() async throws -> GoogleRig { try await GoogleRig() }

  @Test(arguments: [0, 1, 100_000, 100_001, chunk - 1, chunk, chunk + 1, 3 * chunk, 3 * chunk + 7])
  func `a file of any size comes back as it was`(size: Int) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    let bytes = GoogleRig.bytes(size)

    let stored = try await rig.upload(bytes, bucket)

    #expect(stored.key == "output/result.zip")
    #expect(stored.url == "\(rig.fake.url)/test-bucket/output/result.zip")
    let object = try #require(rig.fake[stored.key])
    #expect(object.bytes == bytes && object.contentType == "application/zip")
    #expect(rig.fake.openSessions == 0)
    #expect(try await rig.download(stored.key, bucket) == bytes)
    #expect(try rig.leftovers.isEmpty)
  }

  @Test(arguments: [
    "a b", "+", "%41", "é日本", "?&=#", "~()*!'", ":;,=", "..a", String(repeating: "x", count: 250),
  ])
  func `a file of any name keeps it`(name: String) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    for size in [10, 150_000] {
      let bytes = GoogleRig.bytes(size)
      let stored = try await rig.upload(bytes, named: name, bucket)
      #expect(stored.key == "output/\(name)" && rig.fake.names == [stored.key])
      #expect(try await rig.download(stored.key, bucket) == bytes)
      #expect(try bucket.key(named: stored.url).text == stored.key)
      try await bucket.delete(ObjectKey(stored.key))
      #expect(rig.fake.names.isEmpty)
    }
  }

  @Test(arguments: ["a//b", "x y/ü/?#", String(repeating: "d/é/%2F+", count: 80)])
  func `a file in any folder keeps its place`(folder: String) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    let key = "uploads/\(folder)/in.tif"
    for size in [10, 400_000] {
      let bytes = GoogleRig.bytes(size)
      try rig.fake.put(bytes, as: key)
      #expect(try await rig.download(key, bucket) == bytes)
      let stored = try await rig.upload(
        bytes, to: UploadDestination(subdirectory: folder), bucket)
      #expect(rig.fake[stored.key]?.bytes == bytes)
      #expect(try bucket.key(named: stored.url).text == stored.key)
    }
    try await bucket.delete(ObjectKey(key))
    #expect(rig.fake[key] == nil)
  }

  @Test func `small files take one request, large ones chunks of whole units`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket { $0.transfers.partSize = 300_000 }
    _ = try await rig.upload(GoogleRig.bytes(100_000), bucket)
    #expect(rig.fake.requests.map(\.operation) == [.related])
    let size = 2 * Self.chunk + 10
    _ = try await rig.upload(GoogleRig.bytes(size), bucket)
    let ranges = rig.fake.requests(.chunk).map { $0.fields["content-range"] }
    #expect(
      ranges == [
        "bytes 0-\(Self.chunk - 1)/\(size)", "bytes \(Self.chunk)-\(2 * Self.chunk - 1)/\(size)",
        "bytes \(2 * Self.chunk)-\(size - 1)/\(size)",
      ])
    #expect(rig.fake.requests(.begin)[0].fields["x-upload-content-length"] == "\(size)")
  }

  // MARK: Public access

  @Test(arguments: [GoogleFake.PublicACL.uniformAccess, .prevented, .denied], [10, 300_000])
  func `a bucket that refuses public ACLs is asked for them once`(
    acl: GoogleFake.PublicACL, size: Int
  ) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    rig.fake.publicACL = acl
    for number in 0..<3 {
      let bytes = GoogleRig.bytes(size, seed: UInt64(number + 1))
      _ = try await rig.upload(bytes, bucket)
      #expect(rig.fake["output/result.zip"]?.bytes == bytes)
    }
    let asked = (rig.fake.requests(.related) + rig.fake.requests(.begin)).map {
      $0.query["predefinedAcl"]
    }
    #expect(asked == ["publicRead", nil, nil, nil])
    #expect(rig.log.count { $0.hasPrefix("warning") && $0.contains("objectViewer") } == 1)
    #expect(rig.clock.sleeps.isEmpty)
    #expect(await bucket.facts().warnings.contains { $0.contains("objectViewer") })
  }

  @Test func `results are public where the bucket allows it, inputs never`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    for size in [10, 300_000] {
      _ = try await rig.upload(GoogleRig.bytes(size), bucket)
      #expect(rig.fake["output/result.zip"]?.isPublic == true)
      _ = try await rig.upload(
        GoogleRig.bytes(size), to: UploadDestination(visibility: .internal), bucket)
      #expect(rig.fake["output/result.zip"]?.isPublic == false)
    }
  }

  @Test func `the public ACL can be demanded or left out`() async throws {
    let rig = try await rig()
    rig.fake.publicACL = .uniformAccess
    let never = try rig.bucket { $0.publicACL = .never }
    _ = try await rig.upload([1], never)
    #expect(rig.fake.requests.count == 1)
    let always = try rig.bucket { $0.publicACL = .always }
    for size in [10, 300_000] {
      let error = try await #require(throws: BucketError.self) {
        try await rig.upload(GoogleRig.bytes(size), always)
      }
      #expect(error.code == .invalidRequest && error.tries == 1)
      #expect(error.description.contains("uniform bucket-level access"))
    }
    #expect(rig.fake.requests.count == 3)
  }

  @Test func `a refusal for another reason does not end public results`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    rig.fake.script(.related, .damageUpload(at: 500))
    _ = try await rig.upload(GoogleRig.bytes(1000), bucket)
    #expect(rig.fake["output/result.zip"]?.isPublic == true)
    #expect(rig.log.count { $0.contains("refuses public ACLs") } == 0)

    rig.fake.deny([.related])
    let error = try await #require(throws: BucketError.self) { try await rig.upload([1], bucket) }
    #expect(error.code == .accessDenied && error.tries == 1)
    #expect(error.description.contains("roles/storage.objectUser"))
  }

  // MARK: Failures

  @Test(arguments: [503, 500, 429, 408])
  func `a store in trouble is asked again`(status: Int) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    rig.fake.script(.related, .busy(status, retryAfter: "9"), .busy(status), .loseAnswer)
    rig.fake.script(.begin, .busy(status), .loseAnswer)
    rig.fake.script(.chunk, .busy(status), nil, .busy(status), .loseAnswer)
    rig.fake.script(.state, .busy(status))
    for size in [1000, 3 * Self.chunk] {
      let bytes = GoogleRig.bytes(size)
      _ = try await rig.upload(bytes, bucket)
      #expect(rig.fake["output/result.zip"]?.bytes == bytes)
    }
    #expect(rig.clock.sleeps.contains { $0 >= .seconds(9) })
  }

  @Test func `too many requests are no lack of rights`() async throws {
    let rig = try await rig()
    let body = GoogleFakeError.json(403, "rateLimitExceeded", "slow down")
    rig.fake.script(.related, .answer(403, body: body), .answer(403, body: body))
    _ = try await rig.upload([1], try rig.bucket())
    #expect(rig.clock.sleeps.count == 2)
  }

  @Test func `an upload goes on where it broke off`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket { $0.transfers.partSize = 4 * Self.chunk }
    let bytes = GoogleRig.bytes(4 * Self.chunk + 100)
    // Of the first chunk one unit is kept, of the next answer nothing is heard.
    rig.fake.script(.chunk, .resetUpload(after: Self.chunk + 77), .storePart(2 * Self.chunk + 5))
    _ = try await rig.upload(bytes, bucket)
    #expect(rig.fake["output/result.zip"]?.bytes == bytes)
    let starts = rig.fake.requests(.chunk).map {
      $0.fields["content-range"]?.split(separator: "-").first
    }
    #expect(starts == ["bytes 0", "bytes \(Self.chunk)", "bytes \(3 * Self.chunk)"])
    #expect(rig.fake.requests(.state).count == 1)
  }

  @Test func `a lost last answer is asked for`() async throws {
    let rig = try await rig()
    let bytes = GoogleRig.bytes(Self.chunk + 5)
    rig.fake.script(.chunk, nil, .loseAnswer)
    _ = try await rig.upload(bytes, try rig.bucket())
    #expect(rig.fake["output/result.zip"]?.bytes == bytes)
    #expect(rig.fake.requests.map(\.operation) == [.begin, .chunk, .chunk, .state])
  }

  @Test(arguments: [404, 410])
  func `a session that ended begins anew once`(status: Int) async throws {
    let rig = try await rig()
    let bytes = GoogleRig.bytes(3 * Self.chunk)
    let bucket = try rig.bucket()
    rig.fake.script(.chunk, nil, .answer(status))
    _ = try await rig.upload(bytes, bucket)
    #expect(rig.fake["output/result.zip"]?.bytes == bytes)
    #expect(rig.fake.requests(.begin).count == 2)

    rig.fake.always { $0.operation == .chunk ? .answer(status) : nil }
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload(bytes, bucket)
    }
    #expect(error.code == .server)
    #expect(rig.fake.requests(.begin).count == 4)
  }

  @Test(arguments: [1000, 300_000])
  func `bytes damaged on the way are found, and sent once more`(size: Int) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    let bytes = GoogleRig.bytes(size)
    rig.fake.script(.related, .damageUpload(at: 500))
    rig.fake.script(.chunk, .damageUpload(at: 500))
    _ = try await rig.upload(bytes, bucket)
    #expect(rig.fake["output/result.zip"]?.bytes == bytes)

    rig.fake.always { request in
      [.related, .chunk].contains(request.operation) ? .damageUpload(at: 500) : nil
    }
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload(bytes, named: "other.zip", bucket)
    }
    #expect(error.code == .checksum && error.tries == 2)
    await bucket.close()
    #expect(rig.fake.names == ["output/result.zip"] && rig.fake.openSessions == 0)
  }

  @Test func `an object that is not what was sent is removed again`() async throws {
    let rig = try await rig()
    let wrong = #"{"size":"3","crc32c":"AAAAAA==","generation":"17"}"#
    rig.fake.script(.related, .answer(200, body: wrong), .answer(200, body: wrong))
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload([1, 2], try rig.bucket())
    }
    #expect(error.code == .checksum)
    #expect(rig.fake.requests(.delete).map { $0.query["generation"] } == ["17", "17"])
  }

  @Test func `a store that stays away ends the upload in time`() async throws {
    let rig = try await rig()
    rig.fake.always { $0.operation == .cancel ? nil : .busy(503) }
    for size in [10, 300_000] {
      let error = try await #require(throws: BucketError.self) {
        try await rig.upload(GoogleRig.bytes(size), try rig.bucket())
      }
      #expect(error.code == .server && error.isRetryable && error.tries > 10)
      #expect(error.elapsed > .seconds(400) && error.elapsed <= .seconds(600))
      #expect(error.description.contains("HTTP 503 backendError"))
    }
  }

  @Test func `a store that keeps nothing of a chunk is not asked without end`() async throws {
    let rig = try await rig()
    rig.fake.always { $0.operation == .chunk ? .storePart(0) : nil }
    let bucket = try rig.bucket()
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload(GoogleRig.bytes(300_000), bucket)
    }
    #expect(error.code == .server && error.tries > 10)
    await bucket.close()
    #expect(rig.fake.openSessions == 0)
  }

  @Test func `a session that was not heard of yet is given up too`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    rig.fake.script(.begin, .holdAnswer)
    let upload = Task { try await rig.upload(GoogleRig.bytes(300_000), bucket) }
    try await eventually("there is a session") { rig.fake.heldAnswers == 1 }
    #expect(rig.fake.openSessions == 1)
    upload.cancel()
    await #expect(throws: CancellationError.self) { try await upload.value }
    rig.fake.releaseAnswers()
    await bucket.close()
    #expect(rig.fake.openSessions == 0 && rig.fake.names.isEmpty)
  }

  @Test func `a session that fails for good is given up, also when that fails first`() async throws
  {
    let rig = try await rig()
    let bucket = try rig.bucket { $0.publicACL = .never }
    rig.fake.script(.chunk, nil, .answer(400, body: "no"))
    rig.fake.script(.cancel, .loseAnswer)
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload(GoogleRig.bytes(300_000), bucket)
    }
    #expect(error.code == .invalidRequest && error.answer?.requestID == nil)
    await bucket.close()
    #expect(rig.fake.openSessions == 0 && rig.fake.names.isEmpty)
  }

  @Test func `a long page of an error is an error like others`() async throws {
    let rig = try await rig()
    let page = "<html>" + String(repeating: "x", count: 200_000)
    for operation in [GoogleFakeRequest.Operation.related, .begin, .chunk, .state] {
      rig.fake.script(operation, .answer(503, body: page))
    }
    let bucket = try rig.bucket()
    for size in [10, 300_000] {
      _ = try await rig.upload(GoogleRig.bytes(size), bucket)
      #expect(rig.fake["output/result.zip"]?.bytes.count == size)
    }
    #expect(rig.clock.sleeps.count == 4)
  }

  @Test(arguments: [10, 300_000])
  func `a content type cannot hold more than one line`(size: Int) async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    let error = try await #require(throws: BucketError.self) {
      try await rig.upload(
        GoogleRig.bytes(size), to: UploadDestination(contentType: "a/b\r\nX-Evil: 1"), bucket)
    }
    #expect(error.code == .invalidRequest && rig.fake.requests.isEmpty)
  }

  @Test func `answers of any form are understood`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket { $0.publicACL = .never }
    for body in ["", "{", "<html><body>No</body></html>", "Not here.", "{\"error\":\"no\"}"] {
      rig.fake.script(.related, .answer(400, body: body))
      let error = try await #require(throws: BucketError.self) {
        try await rig.upload([1], bucket)
      }
      #expect(error.code == .invalidRequest && error.tries == 1)
      #expect(!error.description.contains("<") && !error.description.contains("{"))
      #expect(error.description.contains("Not here.") == (body == "Not here."))
    }
  }

  @Test func `the log has the line that pipelines read, and progress is told`() async throws {
    let rig = try await rig()
    let bucket = try rig.bucket()
    let moved = Watched(0)
    let file = try rig.file(GoogleRig.bytes(300_000))
    _ = try await bucket.upload(file, to: UploadDestination()) { bytes in
      Task { await moved.update { $0 = bytes } }
    }
    try await moved.wait { $0 == 300_000 }
    let line = "debug: Uploaded \(file.path) to bucket test-bucket in "
    #expect(rig.log.count { $0.hasPrefix(line) && $0.contains(" seconds.") } == 1)
  }
}
