import CurlClient
import Synchronization

import struct FoundationEssentials.URL

/// Fetches an object into a file: small ones with one request, large ones in parts at the same time.
///
/// The first request asks for as much as is not moved in parts, so that it is the only one for most
/// objects and tells the size of the others without an extra one. A part that breaks off is continued
/// where it broke off. All parts are of the same version of the object.
struct RangedDownload<Reader: ObjectReader>: Sendable {
  let reader: Reader
  let key: ObjectKey
  let folder: URL
  /// Bytes.
  let limit: Int
  let operation: StoreOperation

  /// A try that moved this much and broke off is no failure yet.
  private static var worthwhile: Int { 1 << 20 }

  /// A file with all bytes of the object, not yet under its name.
  struct Result: Sendable {
    let file: PartialFile
    let size: Int
    /// Of the first response.
    let head: HTTPHead
  }

  /// What the first response tells about the object.
  private final class Object: Sendable {
    private let first = Mutex<RangeSink.Extent?>(nil)

    var extent: RangeSink.Extent? { first.withLock { $0 } }

    /// Returns whether it is the first.
    func note(_ extent: RangeSink.Extent) -> Bool {
      first.withLock { first in
        defer { first = first ?? extent }
        return first == nil
      }
    }
  }

  /// - Parameter check: throws when the bytes are not those that were stored; then all is fetched once
  ///   more.
  /// - Throws: ``BucketError``; `CancellationError`.
  func run(check: (Result) async throws -> Void) async throws -> Result {
    try await operation.retrying {
      do {
        let file = try PartialFile(for: key, below: folder)
        do {
          let result = try await fetch(to: file)
          try await check(result)
          return result
        } catch {
          file.discard()
          throw error
        }
      } catch is ObjectReplaced {
        throw FailedTry(
          BucketError(
            .server, key: key.text, "\(key) was replaced in the bucket while it was read",
            isRetryable: true), .once(.replaced))
      }
    }
  }

  private func fetch(to file: PartialFile) async throws -> Result {
    let object = Object()
    let (totals, announcement) = AsyncStream.makeStream(of: Int.self)
    let settings = operation.settings
    try await withThrowingTaskGroup(of: Void.self) { group in
      // At once: for a small object it would take as long to begin on another thread as to send.
      group.addImmediateTask {
        defer { announcement.finish() }
        try await fetch(0..<settings.multipartThreshold, of: object, to: file) {
          extent throws(BucketError) in
          guard let total = extent.total else { return }
          try file.checkRoom(for: total)
          if !extent.isWhole { announcement.yield(total) }
        }
      }
      var totalsIterator = totals.makeAsyncIterator()
      if let total = await totalsIterator.next() {
        try await fetchRest(of: object, total: total, to: file, in: &group)
      }
      try await group.waitForAll()
    }
    guard let first = object.extent else { throw CancellationError() }
    let size = try file.size()
    if let total = first.total, total != size {
      throw FailedTry(
        BucketError(
          .server, key: key.text, "\(size) of \(total) bytes of \(key) came", isRetryable: true),
        .once(.damaged))
    }
    return Result(file: file, size: size, head: first.head)
  }

  private func fetchRest(
    of object: Object, total: Int, to file: PartialFile,
    in group: inout ThrowingTaskGroup<Void, any Error>
  ) async throws {
    let settings = operation.settings
    var running = 1
    for start in stride(from: settings.multipartThreshold, to: total, by: settings.partSize) {
      if running >= settings.concurrency {
        try await group.next()
        running -= 1
      }
      let part = start..<min(start + settings.partSize, total)
      group.addTask { try await fetch(part, of: object, to: file) { _ in } }
      running += 1
    }
  }

  private func fetch(
    _ part: Range<Int>, of object: Object, to file: PartialFile,
    announce: @escaping @Sendable (RangeSink.Extent) throws(BucketError) -> Void
  ) async throws {
    let meter = TransferMeter(operation)
    var position = part.lowerBound
    var isComplete = false
    do {
      while !isComplete {
        try await operation.retrying {
          isComplete = try await read(
            part, from: &position, of: object, to: file, meter: meter, announce: announce)
        }
      }
    } catch {
      meter.reached(0)
      throw error
    }
  }

  /// One try; returns whether the part is complete.
  private func read(
    _ part: Range<Int>, from position: inout Int, of object: Object, to file: PartialFile,
    meter: TransferMeter,
    announce: @escaping @Sendable (RangeSink.Extent) throws(BucketError) -> Void
  ) async throws -> Bool {
    let known = object.extent
    let version = known.flatMap { reader.version(of: $0.head) }
    // Once the store has sent all of the object there are no parts.
    let end = known.map { $0.isWhole ? $0.total ?? part.upperBound : part.upperBound }
    if let known, known.total == nil {
      // Its end cannot be told from what an earlier try left.
      try file.empty()
      position = 0
    }
    let before = position
    let sink = RangeSink(
      key: key, file: file, origin: part.lowerBound, position: position, limit: limit,
      meter: meter
    ) { extent throws(BucketError) in
      if object.note(extent) { try announce(extent) }
    }
    defer { position = sink.position }
    do {
      try await reader.get(
        key, position..<max(end ?? part.upperBound, position + 1), version: version, into: sink)
    } catch {
      if let failure = sink.failure { throw failure }
      if (error as? HTTPError)?.isRetryable == true, sink.position - before >= Self.worthwhile {
        return false
      }
      throw error
    }
    guard let extent = sink.extent else {
      throw BucketError(.server, key: key.text, "the store's answer for \(key) has no content")
    }
    if let known {
      // Not every store looks at the version that is asked for.
      guard known.total == extent.total, reader.version(of: extent.head) == version else {
        throw ObjectReplaced()
      }
    }
    // A whole object without a known size is complete when its response is.
    guard let total = extent.total else { return true }
    return sink.position >= (extent.isWhole ? total : min(part.upperBound, total))
  }
}
