/// What a ``FaultProxy`` does to a request and its answer.
///
/// Bytes are counted in bodies; heads pass whole, but a fault of a request after 0 bytes forwards
/// nothing of it at all.
public enum Fault: Sendable {
  public enum Direction: Sendable { case request, response }

  /// Ends the connection in an orderly way once this much has passed.
  case cut(Direction, after: Int)
  /// Ends the connection with a reset.
  case reset(Direction, after: Int)
  /// Nothing more moves in either direction; the connection stays open.
  case stall(Direction, after: Int)
  /// Inverts a bit of the byte at this place.
  case corrupt(Direction, at: Int)
  /// The store does what it is asked; the connection ends before its answer.
  case loseReply
  /// This many bytes of the answer's body, again and again after a pause.
  case drip(bytes: Int, every: Duration)
  /// The store's `100 Continue` is kept back.
  case ignoreExpectation
  /// Nothing is forwarded.
  case answer(FaultAnswer)
}

/// An answer that a ``FaultProxy`` gives by itself.
public struct FaultAnswer: Sendable {
  public var status: Int
  public var fields: [(name: String, value: String)]
  public var body: [UInt8]
  /// How often the body is sent, one after the other.
  public var repeats = 1
  /// Given before the request's body has come, which is read and dropped.
  public var isEarly = false
  /// Ends the connection behind the answer.
  public var closes = false

  public init(
    _ status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
    isEarly: Bool = false, closes: Bool = false
  ) {
    (self.status, self.fields, self.body) = (status, fields, body)
    (self.isEarly, self.closes) = (isEarly, closes)
  }
}

extension Fault {
  /// An answer with the error document of S3.
  public static func s3Error(
    _ status: Int, _ code: String, fields: [(name: String, value: String)] = []
  ) -> Fault {
    let body = """
      <?xml version="1.0" encoding="UTF-8"?>
      <Error><Code>\(code)</Code><Message>injected</Message><RequestId>FAULT</RequestId></Error>
      """
    return .answer(
      FaultAnswer(
        status, fields: fields + [("Content-Type", "application/xml")], body: Array(body.utf8)))
  }

  /// Overload: `503` with `Retry-After`.
  public static func slowDown(retryAfter seconds: Int) -> Fault {
    .s3Error(503, "SlowDown", fields: [("Retry-After", "\(seconds)")])
  }

  public static func redirect(_ status: Int, to location: String) -> Fault {
    .answer(FaultAnswer(status, fields: [("Location", location)], isEarly: true))
  }

  /// An error with a body that nobody wants to keep.
  public static func hugeError(_ status: Int, mebibytes: Int = 64) -> Fault {
    var answer = FaultAnswer(status, body: [UInt8](repeating: 0x78, count: 1 << 20))
    answer.repeats = mebibytes
    return .answer(answer)
  }
}
