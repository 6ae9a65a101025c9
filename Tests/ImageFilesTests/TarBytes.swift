/// Makes tar archives, wrong ones too.
struct TarBytes {
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - size: the size that the header tells; nil for the right one.
  ///   - change: of the header, before its checksum is computed.
  mutating func add(
    _ name: String, _ content: [UInt8] = [], type: Unicode.Scalar = "0", size: Int? = nil,
    change: (inout [UInt8]) -> Void = { _ in }
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func write(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    write(String(name.prefix(100)), at: 0)
    write("0000644", at: 100)
    let digits = String(size ?? content.count, radix: 8)
    write(String(repeating: "0", count: 11 - digits.count) + digits, at: 124)
    write("        ", at: 148)
    header[156] = UInt8(ascii: type)
    write("ustar\u{0}00", at: 257)
    change(&header)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    write(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
    bytes += header + content
    bytes += Array(repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// With the blocks that end an archive.
  var finished: [UInt8] { bytes + Array(repeating: 0, count: 1024) }

  init() {}

  init(_ members: (String, [UInt8])...) {
    for (name, content) in members { add(name, content) }
  }
}
