import Foundation
import Glibc
import Retrying
import Synchronization
import TestSupport
import Testing

@testable import Buckets

/// Trouble by chance.
@Suite struct GoogleTroubleTests {
  private static let size = 3 * GoogleRig.chunk + 1234

  private static func fault(_ random: inout SeededGenerator) -> GoogleFault? {
    let place = Int.random(in: 0..<GoogleRig.chunk * 2, using: &random)
    return switch Int.random(in: 0..<14, using: &random) {
    case 0: .busy(503)
    case 1: .busy(429, retryAfter: "2")
    case 2: .resetUpload(after: place)
    case 3: .storePart(place)
    case 4: .loseAnswer
    case 5: .cutResponse(after: place)
    case 6: .resetResponse(after: place)
    default: nil
    }
  }

  @Test(arguments: 0..<30)
  func `files come through any trouble that passes`(seed: Int) async throws {
    let rig = try await GoogleRig()
    let bucket = try rig.bucket()
    let random = Mutex(SeededGenerator(seed: seed))
    rig.fake.always { _ in random.withLock { Self.fault(&$0) } }
    // What is damaged once comes through as well.
    if seed % 5 == 1 { rig.fake.script(.media, nil, .damageResponse(at: 1000)) }
    if seed % 5 == 2 { rig.fake.script(.chunk, nil, .damageUpload(at: 1000)) }
    let bytes = GoogleRig.bytes(seed % 3 == 0 ? 5000 : Self.size, seed: UInt64(seed + 1))
    let stored = try await rig.upload(bytes, bucket)
    #expect(rig.fake[stored.key]?.bytes == bytes)
    #expect(try await rig.download(stored.key, bucket) == bytes)
    #expect(try rig.leftovers.isEmpty)
  }

  @Test(arguments: 0..<20)
  func `who cancels waits no longer than a moment`(seed: Int) async throws {
    var random = SeededGenerator(seed: seed)
    let rig = try await GoogleRig()
    let bucket = try rig.bucket()
    try rig.fake.put(GoogleRig.bytes(Self.size), as: "uploads/a.tif")
    // Something stays away from a request on, for good.
    let count = Counter()
    let last = Int.random(in: 1...6, using: &random)
    let fault: GoogleFault = [.silence, .stall(after: 100_000)][seed % 2]
    let isUpload = seed % 4 < 2
    rig.fake.always { $0.operation == .cancel || count.next() < last ? nil : fault }
    let task = Task {
      if isUpload {
        _ = try await rig.upload(GoogleRig.bytes(Self.size), bucket)
      } else {
        _ = try await rig.download("uploads/a.tif", bucket)
      }
    }
    try await Task.sleep(for: .milliseconds(Int.random(in: 0..<300, using: &random)))
    task.cancel()
    let result = await within(seconds: 20) { await task.result }
    // It may have been quicker than the cancellation.
    if case .failure(let error) = try #require(result) { #expect(error is CancellationError) }
    await bucket.close()
    try await eventually("nothing is left") {
      try rig.leftovers.isEmpty && rig.fake.openSessions == 0
    }
  }

  /// Nil after a time far beyond what it takes.
  private func within<Value: Sendable>(
    seconds: Int, _ body: @escaping @Sendable () async -> Value
  ) async -> Value? {
    try? await TestSupport.within(.seconds(seconds), "the end") { await body() }
  }

  @Test func `many failures leave neither files nor connections behind`() async throws {
    let rig = try await GoogleRig()
    let random = Mutex(SeededGenerator(seed: 7))
    rig.fake.always { _ in
      random.withLock { random in
        switch Int.random(in: 0..<9, using: &random) {
        case 0: .answer(400, body: "no")
        case 1: .answer(403)
        case 2: .damageResponse(at: 10)
        case 3: .damageUpload(at: 500)
        case 4: .cutResponse(after: 10)
        case 5: .resetResponse(after: 100)
        case 6: .resetUpload(after: 100_000)
        case 7: .loseAnswer
        default: .busy(503)
        }
      }
    }
    try rig.fake.put(GoogleRig.bytes(20_000), as: "uploads/a.tif")
    let file = try rig.file(GoogleRig.bytes(150_000))
    let downloads = rig.work.url.appending(path: "downloads", directoryHint: .isDirectory)
    do {
      let bucket = try rig.bucket { $0.transfers.retryDeadline = .seconds(5) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<700 {
          if number >= 8 { try await group.next() }
          group.addTask {
            // Few go well, which is not the question.
            if number % 2 == 0 {
              _ = try? await bucket.upload(file, to: UploadDestination()) { _ in }
            } else {
              let key = try ObjectKey("uploads/\(number)/a.tif")
              _ = try? await bucket.download(
                number % 4 == 1 ? ObjectKey("uploads/a.tif") : key,
                into: downloads.appending(path: "\(number)"), limit: .max
              ) { _ in }
            }
          }
        }
        try await group.waitForAll()
      }
      await bucket.close()
    }
    #expect(rig.fake.requests.count > 1000)
    #expect(try rig.leftovers.allSatisfy { $0.hasSuffix("/a.tif") })
    try await eventually("all files and connections are closed") {
      try Self.openFiles(below: rig.work.path).isEmpty && rig.fake.connections == 0
    }
  }

  /// What this process has open in a folder.
  private static func openFiles(below path: String) throws -> [String] {
    let links = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    return links.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }.filter { $0.hasPrefix(path) }
  }
}
