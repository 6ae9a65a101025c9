import Foundation
import TestSupport
import Testing

@testable import Buckets

/// Whatever happens on the way, what is stored and read is whole.
@Suite(.s3Servers, .transfers) struct S3FaultSeedTests {
  static let part = MultipartUpload.smallestPart

  let work: TemporaryFolder

  init() throws { work = try TemporaryFolder() }

  /// A way to the store on which several things go wrong.
  private struct Script {
    var program: S3Program
    var checksum: S3Settings.UploadChecksum
    var size: Int
    private var generator: SeededGenerator

    init(seed: Int) {
      generator = SeededGenerator(seed: seed)
      program = seed % 3 == 0 ? .rclone : .seaweedFS
      // rclone believes what it is told.
      checksum = program == .seaweedFS && seed % 2 == 0 ? .crc32c : .md5
      size =
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: 0
        case 1...5: Int.random(in: 1...2 << 20, using: &generator)
        default: Int.random(in: part + 1...3 * part, using: &generator)
        }
    }

    mutating func inject(into proxy: FaultProxy) {
      // Bytes that are damaged twice are an error.
      if Bool.random(using: &generator) {
        proxy.inject(.corrupt(.request, at: place()), skipping: chance(3), "PUT")
      } else if checksum == .crc32c, size <= part {
        proxy.inject(.corrupt(.response, at: place()), "GET")
      }
      for _ in 0..<1 + chance(4) {
        // The parts of an upload whose beginning is not answered are unknown to everyone.
        let (method, text) = [("PUT", ""), ("GET", ""), ("POST", "uploadId=")][chance(3)]
        proxy.inject(fault(), times: 1 + chance(2), skipping: chance(3), method, text)
      }
    }

    private mutating func fault() -> Fault {
      let direction: Fault.Direction = chance(2) == 0 ? .request : .response
      let place = chance(3) == 0 ? 0 : place()
      return switch chance(16) {
      case 0...2: .cut(direction, after: place)
      case 3...5: .reset(direction, after: place)
      case 6: .stall(direction, after: place)
      case 7...9: .loseReply
      case 10: .slowDown(retryAfter: chance(3))
      case 11: .s3Error(500, "InternalError")
      case 12: .answer(FaultAnswer(429, isEarly: true, closes: true))
      case 13: .hugeError(502, mebibytes: 2)
      case 14: .ignoreExpectation
      default: .drip(bytes: 65536, every: .milliseconds(2))
      }
    }

    private mutating func chance(_ count: Int) -> Int {
      Int.random(in: 0..<count, using: &generator)
    }

    private mutating func place() -> Int {
      Int.random(in: 0...max(0, min(size, part) - 1), using: &generator)
    }
  }

  @Test(arguments: 0..<48) func `a file survives the way to the store and back`(
    seed: Int
  ) async throws {
    var script = Script(seed: seed)
    let server = try await S3Server.shared(script.program)
    let proxy = try await FaultProxy(to: server.port)
    let log = RecordedLog()
    let bucket = try server.open(through: proxy.endpoint, log: log) {
      $0.useSmallParts()
      $0.checksum = script.checksum
      $0.transfers.stallTimeout = .seconds(3)
    }
    script.inject(into: proxy)
    let file = try work.randomFile("in/seed\(seed).zip", bytes: script.size)
    let stored = try await bucket.upload(file, below: "seeds")
    #expect(try await bucket.download(stored.key, into: work) == Data(contentsOf: file))
    #expect(try work.files == ["in/seed\(seed).zip", "seeds/seed\(seed).zip"])
    #expect(try await !server.uploads().contains("seed\(seed).zip"))
    #expect(!log.text.contains(server.secretAccessKey))
    #expect(!log.text.contains("Signature="))
  }

  static let failures: [Fault] = [
    .s3Error(500, "InternalError"), .s3Error(403, "AccessDenied"), .slowDown(retryAfter: 1),
    .s3Error(400, "BadDigest"), .answer(FaultAnswer(429)), .cut(.request, after: 0),
    .reset(.request, after: 0), .cut(.request, after: 30_000), .reset(.response, after: 0),
    .cut(.response, after: 10_000), .loseReply, .hugeError(503, mebibytes: 1),
    .corrupt(.response, at: 777), .answer(FaultAnswer(503, isEarly: true, closes: true)),
  ]

  @Test func `a thousand failures leave neither descriptors nor files nor secrets`() async throws {
    let server = try await S3Server.shared(.seaweedFS)
    let proxy = try await FaultProxy(to: server.port)
    let (log, folder) = (RecordedLog(), try TemporaryFolder())
    let small = try work.randomFile("in/small.zip", bytes: 50_000)
    let large = try work.randomFile("in/large.zip", bytes: Self.part + 1)
    let impatient = try server.open(through: proxy.endpoint, log: log) {
      $0.useSmallParts()
      $0.checksum = .crc32c
      $0.transfers.retryDeadline = .zero
    }
    let stored = try await impatient.upload(small, below: "failures")
    var round = 0
    while proxy.faultCount < 1000 {
      for _ in 0..<4 { proxy.inject(Self.failures[round % Self.failures.count], times: 3) }
      await withTaskGroup { group in
        for lane in 0..<8 {
          let file = round % 16 == 0 && lane == 0 ? large : small
          group.addTask {
            _ = try? await impatient.download(stored.key, into: folder)
            _ = try? await impatient.upload(file, below: "failures/\(lane)")
          }
        }
      }
      round += 1
    }
    proxy.heal()
    #expect(try folder.files.allSatisfy { !$0.contains(".part-") })
    #expect(try await impatient.download(stored.key, into: work) == Data(contentsOf: small))
    await impatient.close()
    try await eventually("all files are closed") { [work] in
      try openFiles(below: work).isEmpty && openFiles(below: folder).isEmpty
    }
    try await eventually("only kept connections are open") {
      proxy.openConnectionCount <= 2 * impatient.settings.transfers.concurrency
    }
    #expect(!log.text.contains(server.secretAccessKey))
    #expect(!log.text.contains("Signature="))
  }
}
