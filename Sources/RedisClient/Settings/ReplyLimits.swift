/// What a server may make this process hold for one reply. hiredis has no limits of its own.
public struct ReplyLimits: Sendable, Hashable {
  /// Bytes of one reply, unparsed and parsed; at most 256 MiB, where hiredis is still safe.
  public var bytes: Int {
    didSet { bytes = min(max(bytes, 1), Self.largestReply) }
  }

  /// Values in one reply, those of nested arrays included.
  public var elements: Int

  public init(bytes: Int = largestReply, elements: Int = 1 << 20) {
    self.bytes = min(max(bytes, 1), Self.largestReply)
    self.elements = max(elements, 1)
  }

  public static let largestReply = 256 << 20

  /// A status, error or integer that has no end after this many bytes is refused.
  static let longestLine = 64 << 10

  /// The length after `$` or `*` has at most this many characters.
  static let longestHeader = 32

  /// Arrays within arrays. hiredis 0.14 has this limit, 1.x none.
  static let deepestNesting = 8

  /// Commands larger than this are refused: hiredis counts their bytes in an `int`.
  static let largestCommand = 512 << 20
}
