/// What comes before a response's body.
package struct HTTPHead: Sendable {
  package let status: Int
  package let fields: [HTTPField]

  /// The first value of a field, whatever the case of its name.
  package subscript(name: String) -> String? {
    fields.first { $0.isNamed(name) }?.value
  }
}

extension HTTPField {
  fileprivate func isNamed(_ other: String) -> Bool {
    name.utf8.count == other.utf8.count
      && zip(name.utf8, other.utf8).allSatisfy { Self.lowercased($0) == Self.lowercased($1) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}

/// A response with its body in memory.
package struct HTTPResponse: Sendable {
  package let head: HTTPHead
  package let body: [UInt8]
  /// Whether the body was longer.
  package let isCut: Bool

  package var status: Int { head.status }
}

/// Where the body of a response goes, piece by piece.
///
/// It is called on the client's thread, which serves all transfers: it must not wait for anything but a
/// local disk.
package protocol HTTPBodySink: AnyObject, Sendable {
  /// Called once, before the body.
  func begin(_ head: HTTPHead) throws

  /// - Returns: whether more is wanted; if not, the transfer ends here, and well.
  func write(_ bytes: UnsafeRawBufferPointer) throws -> Bool
}

/// What becomes of a body that is longer than the caller takes.
package enum HTTPOverflow: Sendable {
  /// The transfer fails.
  case fail
  /// The rest is not read.
  case cut
}

/// Keeps a body in memory.
final class BodyCollector: HTTPBodySink, @unchecked Sendable {
  // Written on the client's thread, read once the transfer has ended.
  private(set) var bytes: [UInt8] = []
  private(set) var isCut = false
  private let limit: Int
  private let overflow: HTTPOverflow

  init(limit: Int, overflow: HTTPOverflow) {
    self.limit = limit
    self.overflow = overflow
  }

  func begin(_ head: HTTPHead) throws {
    guard overflow == .fail, let length = head["content-length"].flatMap({ Int($0) }) else {
      return
    }
    if length > limit { throw tooLarge(head) }
    bytes.reserveCapacity(length)
  }

  func write(_ new: UnsafeRawBufferPointer) throws -> Bool {
    let room = limit - bytes.count
    guard new.count > room else {
      bytes.append(contentsOf: new)
      return true
    }
    if overflow == .fail { throw tooLarge(nil) }
    bytes.append(contentsOf: new.prefix(room))
    isCut = true
    return false
  }

  private func tooLarge(_ head: HTTPHead?) -> HTTPError {
    HTTPError(.tooLarge, reason: "more than \(limit) bytes", status: head?.status)
  }
}
