/// Pixels of an image as a bitmap that is quick to empty: it remembers the words it used.
///
/// A row is a whole number of 64-bit words.
struct PixelSet: ~Copyable {
  private let words: UnsafeMutablePointer<UInt64>
  private var used: [Int32] = []

  init(words count: Int) {
    words = .allocate(capacity: max(count, 1))
    words.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { words.deallocate() }

  static func wordsPerRow(columns: Int) -> Int { (columns + 63) / 64 }

  /// The bits of word number `index` of a row that are the columns `first` through `last`.
  @inline(__always)
  static func mask(_ index: Int, from first: Int, through last: Int) -> UInt64 {
    let low = max(first &- index &* 64, 0)
    let high = min(last &- index &* 64, 63)
    return (~0 &<< UInt64(low)) & (~0 &>> UInt64(63 &- high))
  }

  @inline(__always) subscript(word: Int) -> UInt64 { words[word] }

  @inline(__always)
  mutating func insert(_ bits: UInt64, at word: Int) {
    if words[word] == 0 { used.append(Int32(truncatingIfNeeded: word)) }
    words[word] |= bits
  }

  mutating func removeAll() {
    for word in used { words[Int(word)] = 0 }
    used.removeAll(keepingCapacity: true)
  }
}
