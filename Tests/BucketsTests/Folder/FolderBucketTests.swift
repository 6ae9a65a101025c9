import Buckets
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct FolderBucketTests {
  let store: TemporaryFolder
  let work: TemporaryFolder
  let bucket: FolderBucket

  init() throws {
    store = try TemporaryFolder()
    work = try TemporaryFolder()
    bucket = try FolderBucket(path: store.url.path)
  }

  private func download(_ key: String, limit: Int = .max) async throws -> URL {
    try await bucket.download(ObjectKey(key), into: work.url, limit: limit) { _ in }
  }

  @Test func `what was uploaded is downloaded byte by byte`() async throws {
    let text = String(repeating: "pixels ", count: 100_000)
    let file = try work.write(text, to: "result ä.zip")
    let moved = Mutex(0)

    let stored = try await bucket.upload(file, to: UploadDestination(subdirectory: "x/y")) {
      bytes in
      moved.withLock { $0 = bytes }
    }
    #expect(stored.key == "output/x/y/result ä.zip")
    #expect(stored.url == "file://\(store.url.path)/output/x/y/result%20%C3%A4.zip")
    #expect(moved.withLock { $0 } == text.utf8.count)
    #expect(try store.files == ["output/x/y/result ä.zip"])

    let copy = try await download(stored.key)
    #expect(copy.path == work.url.path + "/x/y/result ä.zip")
    #expect(try String(contentsOf: copy, encoding: .utf8) == text)
  }

  @Test func `an empty object is an object`() async throws {
    try store.write("", to: "uploads/empty.tif")
    let copy = try await download("uploads/empty.tif")
    #expect(try Data(contentsOf: copy).isEmpty)
  }

  @Test func `the folder of a download is made if it is missing`() async throws {
    try store.write("x", to: "uploads/a.tif")
    let folder = work.url.appending(path: "new")
    let copy = try await bucket.download(ObjectKey("uploads/a.tif"), into: folder, limit: .max) {
      _ in
    }
    #expect(copy.path == folder.path + "/a.tif")
  }

  @Test func `a missing object is reported by its key`() async throws {
    let error = await #expect(throws: BucketError.self) { try await download("uploads/no.tif") }
    #expect(error?.code == .notFound)
    #expect(error?.description.contains("uploads/no.tif does not exist") == true)
    #expect(try work.files.isEmpty)
  }

  @Test func `a folder is not an object`() async throws {
    try store.write("x", to: "uploads/folder/a.tif")
    let error = await #expect(throws: BucketError.self) { try await download("uploads/folder") }
    #expect(error?.code == .invalidRequest)
  }

  @Test func `a link that leads out of the bucket is refused, one that stays is followed`()
    async throws
  {
    let secret = try work.write("secret", to: "secret.txt")
    try store.write("inside", to: "uploads/real.tif")
    let uploads = store.url.appending(path: "uploads")
    try FileManager.default.createSymbolicLink(
      at: uploads.appending(path: "out.tif"), withDestinationURL: secret)
    try FileManager.default.createSymbolicLink(
      at: uploads.appending(path: "folder"), withDestinationURL: work.url)
    try FileManager.default.createSymbolicLink(
      atPath: uploads.appending(path: "in.tif").path, withDestinationPath: "real.tif")

    for key in ["uploads/out.tif", "uploads/folder/secret.txt"] {
      let error = await #expect(throws: BucketError.self) { try await download(key) }
      #expect(error?.code == .invalidRequest, "\(key)")
    }
    let copy = try await download("uploads/in.tif")
    #expect(try String(contentsOf: copy, encoding: .utf8) == "inside")
  }

  @Test func `a link planted in the temporary folder is not followed`() async throws {
    try store.write("x", to: "uploads/a/b.tif")
    let outside = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      at: work.url.appending(path: "a"), withDestinationURL: outside.url)
    let error = await #expect(throws: BucketError.self) { try await download("uploads/a/b.tif") }
    #expect(error?.code == .temporaryFolder)
    #expect(try outside.files.isEmpty)
  }

  @Test func `an upload cannot be led out of the bucket by a link`() async throws {
    let outside = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      at: store.url.appending(path: "output"), withDestinationURL: outside.url)
    let file = try work.write("x", to: "a.zip")
    let error = await #expect(throws: BucketError.self) {
      try await bucket.upload(file, to: UploadDestination()) { _ in }
    }
    #expect(error?.code == .invalidRequest)
    #expect(try outside.files.isEmpty)
  }

  @Test func `an object over the limit is refused and leaves nothing`() async throws {
    try store.write(String(repeating: "x", count: 2_000_000), to: "uploads/big.tif")
    let error = await #expect(throws: BucketError.self) {
      try await download("uploads/big.tif", limit: 1 << 20)
    }
    #expect(error?.code == .tooLarge)
    #expect(error?.description.contains("1 MiB") == true)
    #expect(try work.files.isEmpty)
  }

  @Test func `a cancelled download leaves nothing`() async throws {
    try store.write(String(repeating: "x", count: 1_000_000), to: "uploads/a.tif")
    let task = Task { [bucket, work] in
      withUnsafeCurrentTask { $0?.cancel() }
      return try await bucket.download(ObjectKey("uploads/a.tif"), into: work.url, limit: .max) {
        _ in
      }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try work.files.isEmpty)
  }

  @Test func `an upload replaces an object of the same key as a whole`() async throws {
    try store.write("old", to: "output/a.zip")
    let file = try work.write("new", to: "a.zip")
    _ = try await bucket.upload(file, to: UploadDestination()) { _ in }
    #expect(
      try String(contentsOf: store.url.appending(path: "output/a.zip"), encoding: .utf8) == "new")
    #expect(try store.files == ["output/a.zip"])
  }

  @Test func `removing twice is no error`() async throws {
    try store.write("x", to: "output/a.zip")
    try await bucket.delete(ObjectKey("output/a.zip"))
    try await bucket.delete(ObjectKey("output/a.zip"))
    try await bucket.delete(ObjectKey("no/such/folder/a.zip"))
    #expect(try store.files.isEmpty)
  }

  @Test func `folders that become empty are removed, but for the first`() async throws {
    try store.write("x", to: "output/4b7a/sub/a.tif")
    try store.write("x", to: "output/4b7a/b.tif")
    try await bucket.delete(ObjectKey("output/4b7a/sub/a.tif"))
    let folder = store.url.appending(path: "output/4b7a").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["b.tif"])
    try await bucket.delete(ObjectKey("output/4b7a/b.tif"))
    let output = store.url.appending(path: "output").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: output) == [])
  }

  @Test func `only uploads that died a day ago are swept`() async throws {
    let old = try store.write("half", to: "output/.tmp-1")
    try store.write("half", to: "output/.tmp-2")
    try store.write("kept", to: "output/old.zip")
    let dayAndHourAgo = Date(timeIntervalSinceNow: -90_000)
    for file in [old, store.url.appending(path: "output/old.zip")] {
      try FileManager.default.setAttributes(
        [.modificationDate: dayAndHourAgo], ofItemAtPath: file.path)
    }
    await bucket.removeStaleUploads()
    #expect(try store.files == ["output/.tmp-2", "output/old.zip"])
  }

  @Test func `a web address means a file only if it is this bucket's own`() throws {
    let bucket = try FolderBucket(
      path: store.url.path, urls: ResultURLs(baseURL: "https://files.lab.example/data/"))
    #expect(
      try bucket.key(named: "https://files.lab.example/data/uploads/a%20b.tif?x=1").text
        == "uploads/a b.tif")
    for name in [
      "https://elsewhere.example/a.tif", "HTTP://169.254.169.254/latest", "file:///etc/passwd",
      "https://files.lab.example/data/uploads/%2e%2e/%2e%2e/etc/passwd",
      "https://files.lab.example/data/uploads/%ff.tif",
    ] {
      let error = #expect(throws: BucketError.self) { try bucket.key(named: name) }
      #expect(error?.code == .invalidRequest, "\(name)")
    }
    #expect(
      bucket.url(for: try ObjectKey("output/a b.zip"))
        == "https://files.lab.example/data/output/a%20b.zip")
  }

  @Test(arguments: [
    "files.lab.example", "ftp://files.lab.example", "https://", "https://files.lab.example/?a",
    "https://user:tell-nobody-1@files.lab.example",
  ]) func `what result URLs cannot begin with is refused`(base: String) {
    let error = #expect(throws: BucketError.self) {
      try FolderBucket(path: store.url.path, urls: ResultURLs(baseURL: base))
    }
    #expect(error?.code == .invalidRequest)
    #expect(error?.reason.contains("STORAGE_PUBLIC_BASE_URL") == true)
    #expect(error?.reason.contains("tell-nobody") == false)
  }

  @Test(arguments: [ResultURLs.Form.public, .presigned, .uri])
  func `URLs that a folder does not offer are warned of`(form: ResultURLs.Form) throws {
    let bucket = try FolderBucket(path: store.url.path, urls: ResultURLs(form: form))
    #expect(bucket.facts().warnings.count == (form == .presigned ? 1 : 0))
    #expect(bucket.url(for: try ObjectKey("output/a.zip")).hasPrefix("file:///"))
  }

  @Test func `a folder that cannot be made is reported`() {
    let error = #expect(throws: BucketError.self) { try FolderBucket(path: "/proc/no/bucket") }
    #expect(error?.code == .localDisk)
    #expect(error?.description.contains("/proc/no/bucket") == true)
  }
}
