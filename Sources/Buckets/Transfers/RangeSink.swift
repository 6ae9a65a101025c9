import CurlClient

/// Writes the response to a GET of a range to its place in a file.
///
/// What stores answer to such a request: 206 with the range or its beginning; 200 with a
/// `Content-Range`, which means the same; 200 without, which is the whole object; 416 for an object
/// without bytes. A reader may as well ask for the whole object, see ``expectWhole(takingUpTo:)``.
final class RangeSink: HTTPBodySink, @unchecked Sendable {
  // Written on the client's thread, read once the transfer has ended.

  private static let errorBodyLimit = 65536

  /// Size of the object, nil as long as it is not known; whether all of it follows.
  struct Extent: Sendable {
    let head: HTTPHead
    let total: Int?
    let isWhole: Bool
  }

  private(set) var head: HTTPHead?
  private(set) var extent: Extent?
  /// Where in the file the next byte goes.
  private(set) var position: Int
  /// The beginning of the body of a response that is not accepted.
  private(set) var errorBody: [UInt8] = []
  /// Why the response was broken off.
  private(set) var failure: FailedTry?

  private let key: ObjectKey
  private let file: PartialFile
  /// Bytes of the object that the file takes.
  private let limit: Int
  private let meter: TransferMeter
  private let origin: Int
  private let announce: @Sendable (Extent) throws(BucketError) -> Void
  /// Where the response must end, or is broken off.
  private var end = 0
  /// Where a response with the whole object may be broken off.
  private var cut = Int.max
  /// Whether it will be.
  private var isCut = false

  /// - Parameters:
  ///   - origin: where the part began whose bytes `meter` counts.
  ///   - position: the first byte that is asked for.
  ///   - announce: told of the object when an accepted response begins; what it throws is final.
  init(
    key: ObjectKey, file: PartialFile, origin: Int, position: Int, limit: Int,
    meter: TransferMeter, announce: @escaping @Sendable (Extent) throws(BucketError) -> Void
  ) {
    self.key = key
    self.file = file
    self.origin = origin
    self.position = position
    self.limit = limit
    self.meter = meter
    self.announce = announce
  }

  /// Whether the response is one to the question.
  var isAccepted: Bool { extent != nil }

  /// Makes ready for a request without a range, whose response is left once it has come to the end of
  /// the part, if the store can be asked for the rest.
  func expectWhole(takingUpTo end: Int) { cut = end }

  func begin(_ head: HTTPHead) throws {
    self.head = head
    guard let extent = try extent(of: head) else { return }
    if let total = extent.total {
      guard total <= limit else { throw refuse(.tooLarge(key, limit: limit), .never) }
    }
    self.extent = extent
    do throws(BucketError) { try announce(extent) } catch { throw refuse(error, .never) }
  }

  /// Nil for a response that is an error.
  private func extent(of head: HTTPHead) throws -> Extent? {
    let range = head["content-range"].flatMap(ContentRange.init)
    switch (head.status, range) {
    case (206, .part(let part, let total)), (200, .part(let part, let total)):
      guard part.lowerBound == position else { throw refuse("another range than was asked for") }
      end = part.upperBound
      return Extent(head: head, total: total, isWhole: part.count == total)
    case (200, nil):
      guard origin == 0 else { throw refuse("the whole object in place of a part") }
      position = 0
      meter.reached(0)
      let total = head["content-length"].flatMap { Int($0) }
      if let total, total > cut, head["accept-ranges"]?.lowercased() == "bytes" {
        isCut = true
        end = cut
        return Extent(head: head, total: total, isWhole: false)
      }
      end = total ?? .max
      return Extent(head: head, total: total, isWhole: true)
    case (416, .unsatisfied(total: 0)) where origin == 0, (416, nil) where position == 0:
      // Nothing else lacks its first byte; some emulators do not say it.
      return Extent(head: head, total: 0, isWhole: true)
    case (200, _), (206, _): throw refuse("a range that cannot be read")
    default: return nil
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
    guard let extent, extent.head.status != 416 else {
      errorBody += bytes.prefix(Self.errorBodyLimit - errorBody.count)
      return errorBody.count < Self.errorBodyLimit
    }
    let bytes = isCut ? UnsafeRawBufferPointer(rebasing: bytes.prefix(end - position)) : bytes
    guard bytes.count <= end - position else { throw refuse("more bytes than it announced") }
    guard position + bytes.count <= limit else {
      throw refuse(.tooLarge(key, limit: limit), .never)
    }
    do throws(BucketError) { try file.write(bytes, at: position) } catch {
      throw refuse(error, .never)
    }
    position += bytes.count
    meter.reached(position - origin)
    return !isCut || position < end
  }

  private func refuse(_ what: String) -> FailedTry {
    refuse(
      BucketError(
        .server, key: key.text, "the store sent \(what) for \(key)", isRetryable: true,
        answer: .init(status: head?.status)), .later(atLeast: nil))
  }

  private func refuse(_ error: BucketError, _ retry: FailedTry.Retry) -> FailedTry {
    let failure = FailedTry(error, retry)
    self.failure = failure
    return failure
  }
}
