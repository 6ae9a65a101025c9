/// A field of a request or a response.
package struct HTTPField: Sendable, Hashable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// A field for any text: what a field cannot hold, and `%`, is percent-encoded.
  package init(_ name: String, encoding text: String) {
    let value = text.utf8.map { byte in
      byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%")
        ? String(UnicodeScalar(byte))
        : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
    self.init(name, value)
  }

  /// Whether it can be sent without being read as something else.
  var isValid: Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
      && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }
}

/// The body of a request, read piece by piece while it is sent.
///
/// It is called on the client's thread, which serves all transfers: it must not wait for anything but a
/// local disk.
package protocol HTTPBodySource: Sendable {
  /// Bytes; nil if it is not known, which not every server takes.
  var length: Int64? { get }

  /// Fills `buffer` from the front, with offsets that follow one another.
  ///
  /// - Returns: the bytes that were read, 0 at the end.
  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A body in memory.
package struct HTTPBytes: HTTPBodySource {
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var length: Int64? { Int64(bytes.count) }

  package func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let start = Int(offset)
    let count = min(buffer.count, bytes.count - start)
    guard start >= 0, count > 0 else { return 0 }
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
    return count
  }
}

/// How long a transfer may take.
package struct HTTPTimeouts: Sendable {
  /// Until there is a connection, with name and TLS.
  package var connect: Duration
  /// For everything together; nil for transfers whose size decides that.
  package var total: Duration?
  /// Without a byte in either direction, in whole seconds.
  package var stall: Duration

  package init(
    connect: Duration = .seconds(10), total: Duration? = .seconds(60),
    stall: Duration = .seconds(30)
  ) {
    self.connect = connect
    self.total = total
    self.stall = stall
  }
}

package struct HTTPRequest: Sendable {
  package var method: String
  package var url: HTTPURL
  /// Sent as they are. What is not here is not sent, but for `Host`, the lengths, `Accept: */*`, the
  /// client's `User-Agent`, and `Expect` before large bodies.
  package var fields: [HTTPField]
  package var body: (any HTTPBodySource)?
  package var timeouts: HTTPTimeouts

  package init(
    _ method: String, _ url: HTTPURL, fields: [HTTPField] = [],
    body: (any HTTPBodySource)? = nil, timeouts: HTTPTimeouts = HTTPTimeouts()
  ) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
    self.timeouts = timeouts
  }

  func check() throws(HTTPError) {
    guard !method.isEmpty, method.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5a }) else {
      throw HTTPError(.invalidRequest, server: "\(url)", reason: "the method is not a word")
    }
    if let field = fields.first(where: { !$0.isValid }) {
      throw HTTPError(
        .invalidRequest, server: "\(url)",
        reason: "the field \(field.name.debugDescription) has characters that cannot be sent")
    }
  }
}
