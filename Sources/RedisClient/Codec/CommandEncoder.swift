import CHiredis
import NIOCore

/// Turns commands into RESP by hiredis.
struct CommandEncoder: ~Copyable {
  /// Arguments of this size and more are handed to hiredis where they are; smaller ones are gathered
  /// in one scratch buffer first, since a Swift string need not have an address.
  private static let borrowedSize = 1 << 20

  private var output = ByteBuffer()
  private var lengths: [Int] = []
  private var pointers: [UnsafePointer<CChar>?] = []
  private var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 1)

  private init() {}

  deinit { scratch.deallocate() }

  /// The bytes of all commands, one after the other.
  ///
  /// - Throws: ``RedisError`` with the code `invalidCommand` over 512 MiB.
  static func encode(_ commands: some Sequence<RedisCommand>) throws(RedisError) -> ByteBuffer {
    var encoder = CommandEncoder()
    for command in commands { try encoder.append(command) }
    return encoder.output
  }

  static func encode(_ command: RedisCommand) throws(RedisError) -> ByteBuffer {
    try encode(CollectionOfOne(command))
  }

  private mutating func append(_ command: RedisCommand) throws(RedisError) {
    try measure(command)
    var failure: RedisError?
    place(command, from: 0, offset: 0, &failure)
    if let failure { throw failure }
  }

  /// Notes the parts' lengths and makes room for what is gathered.
  private mutating func measure(_ command: RedisCommand) throws(RedisError) {
    let count = command.arguments.count + 1
    lengths.removeAll(keepingCapacity: true)
    pointers.removeAll(keepingCapacity: true)
    var total = 0
    var gathered = 0
    for index in 0..<count {
      let length = command.part(index).redisByteCount
      lengths.append(length)
      pointers.append(nil)
      // Each part has a header of digits and line ends.
      total += length + ReplyLimits.longestHeader
      if length < Self.borrowedSize { gathered += length }
      guard total <= ReplyLimits.largestCommand else {
        throw RedisError(
          .invalidCommand, command: command.name,
          reason: "it is larger than \(ReplyLimits.largestCommand >> 20) MiB")
      }
    }
    // One byte more, so that an empty part at the end has an address too.
    if gathered >= scratch.count {
      scratch.deallocate()
      scratch = .allocate(byteCount: gathered + 1, alignment: 1)
    }
  }

  /// Gives each part from `start` on an address, then formats. Recurs once per borrowed argument, of
  /// which one command holds at most 512.
  private mutating func place(
    _ command: RedisCommand, from start: Int, offset: Int, _ failure: inout RedisError?
  ) {
    var offset = offset
    for index in start..<lengths.count {
      let length = lengths[index]
      if length >= Self.borrowedSize {
        command.part(index).withRedisBytes { bytes in
          precondition(bytes.count == length, "redisByteCount is wrong")
          pointers[index] = bytes.bindMemory(to: CChar.self).baseAddress
          place(command, from: index + 1, offset: offset, &failure)
        }
        return
      }
      let target = UnsafeMutableRawBufferPointer(rebasing: scratch[offset..<(offset + length)])
      command.part(index).withRedisBytes { bytes in
        precondition(bytes.count == length, "redisByteCount is wrong")
        target.copyMemory(from: bytes)
      }
      pointers[index] = target.baseAddress.map {
        UnsafePointer($0.assumingMemoryBound(to: CChar.self))
      }
      offset += length
    }
    format(command, &failure)
  }

  private mutating func format(_ command: RedisCommand, _ failure: inout RedisError?) {
    var formatted: UnsafeMutablePointer<CChar>?
    let size = chiredis_format(&formatted, Int32(lengths.count), &pointers, lengths)
    guard size >= 0, let formatted else {
      failure = RedisError(
        .invalidCommand, command: command.name, reason: "there is no memory to format it")
      return
    }
    output.writeBytes(UnsafeRawBufferPointer(start: formatted, count: Int(size)))
    redisFreeCommand(formatted)
  }
}

extension RedisCommand {
  /// The name is part 0, then come the arguments.
  fileprivate func part(_ index: Int) -> any RedisArgument {
    index == 0 ? name : arguments[index - 1]
  }
}
