import CHiredis
import NIOCore

/// Turns commands into RESP by hiredis.
enum CommandEncoder {
  /// Arguments of this size and more are handed to hiredis where they are; smaller ones are gathered
  /// in one scratch buffer first, since a Swift string need not have an address.
  private static let borrowedSize = 1 << 20

  /// The bytes of all commands, one after the other.
  ///
  /// - Throws: ``RedisError`` with the code `invalidCommand` over 512 MiB.
  static func encode(_ commands: [RedisCommand]) throws(RedisError) -> ByteBuffer {
    var output = ByteBuffer()
    for command in commands { try encode(command, into: &output) }
    return output
  }

  static func encode(_ command: RedisCommand) throws(RedisError) -> ByteBuffer {
    var output = ByteBuffer()
    try encode(command, into: &output)
    return output
  }

  private static func encode(
    _ command: RedisCommand, into output: inout ByteBuffer
  ) throws(RedisError) {
    let count = command.arguments.count + 1
    let lengths = UnsafeMutablePointer<Int>.allocate(capacity: count)
    let pointers = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: count)
    defer {
      lengths.deallocate()
      pointers.deallocate()
    }

    var total = 0
    var gathered = 0
    for index in 0..<count {
      let length = try command.part(index).withRedisBytes { $0.count }
      lengths[index] = length
      // Each part may add its header of digits and line ends.
      total += length + ReplyLimits.longestHeader
      if length < borrowedSize { gathered += length }
      guard total <= ReplyLimits.largestCommand else {
        throw RedisError(
          .invalidCommand, command: command.name,
          reason: "it is larger than \(ReplyLimits.largestCommand >> 20) MiB")
      }
    }

    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: gathered, alignment: 1)
    defer { scratch.deallocate() }
    try place(
      command, from: 0, scratch: scratch[...], lengths: lengths, pointers: pointers
    ) { () throws(RedisError) in
      var formatted: UnsafeMutablePointer<CChar>?
      let size = chiredis_format(&formatted, Int32(count), pointers, lengths)
      guard size >= 0, let formatted else {
        throw RedisError(
          .invalidCommand, command: command.name, reason: "there is no memory to format it")
      }
      defer { redisFreeCommand(formatted) }
      output.writeBytes(UnsafeRawBufferPointer(start: formatted, count: Int(size)))
    }
  }

  /// Fills `pointers` from part `start` on and calls `body`. Recurs once per borrowed argument, of
  /// which one command holds at most 512.
  private static func place(
    _ command: RedisCommand, from start: Int, scratch: Slice<UnsafeMutableRawBufferPointer>,
    lengths: UnsafeMutablePointer<Int>, pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>,
    _ body: () throws(RedisError) -> Void
  ) throws(RedisError) {
    var rest = scratch
    for index in start..<(command.arguments.count + 1) {
      guard lengths[index] < borrowedSize else {
        let remaining = rest
        return try command.part(index).withRedisBytes { (bytes) throws(RedisError) in
          pointers[index] = bytes.bindMemory(to: CChar.self).baseAddress
          try place(
            command, from: index + 1, scratch: remaining, lengths: lengths, pointers: pointers,
            body)
        }
      }
      let target = UnsafeMutableRawBufferPointer(rebasing: rest)
      try command.part(index).withRedisBytes { target.copyMemory(from: $0) }
      // An empty argument after the end of the scratch buffer still needs some address.
      pointers[index] = UnsafeRawPointer(target.baseAddress ?? UnsafeMutableRawPointer(pointers))
        .assumingMemoryBound(to: CChar.self)
      rest = rest.dropFirst(lengths[index])
    }
    try body()
  }
}

extension RedisCommand {
  /// The name is part 0, then come the arguments.
  fileprivate func part(_ index: Int) -> any RedisArgument {
    index == 0 ? name : arguments[index - 1]
  }
}
