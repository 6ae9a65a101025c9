/// A binary heap of pixels waiting in a flood, least first.
///
/// Entries that are equal in value and age leave in an order that only the layout of the heap
/// decides; so that this is the order of the reference, the two sifts are its very own: a parent is
/// at (child + 1) / 2 - 1, and of two equal children the left one is taken.
struct FloodHeap: ~Copyable {
  /// A pixel waiting; ordered by `priority` alone.
  struct Entry {
    /// Value in the high half, age in the low one.
    let priority: UInt64
    let pixel: Int32

    @inline(__always) init(key: UInt32, age: UInt32, pixel: Int32) {
      priority = UInt64(key) << 32 | UInt64(age)
      self.pixel = pixel
    }

    @inline(__always) var key: UInt32 { UInt32(truncatingIfNeeded: priority >> 32) }
    @inline(__always) var age: UInt32 { UInt32(truncatingIfNeeded: priority) }
  }

  private var entries: UnsafeMutablePointer<Entry>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 1024) {
    self.capacity = max(capacity, 16)
    entries = .allocate(capacity: self.capacity)
  }

  deinit { entries.deallocate() }

  @inline(__always) var isEmpty: Bool { count == 0 }

  /// The least entry; there must be one.
  @inline(__always) var least: Entry { entries[0] }

  @inline(__always)
  mutating func push(_ entry: Entry) {
    if count == capacity { grow() }
    var child = count
    count &+= 1
    while child > 0 {
      let parent = (child &+ 1) / 2 &- 1
      guard entry.priority < entries[parent].priority else { break }
      entries[child] = entries[parent]
      child = parent
    }
    entries[child] = entry
  }

  /// Removes the least entry; there must be one.
  @inline(__always)
  mutating func pop() -> Entry {
    let top = entries[0]
    count &-= 1
    let moved = entries[count]
    var hole = 0
    while true {
      let left = 2 &* hole &+ 1
      let right = left &+ 1
      guard left < count else { break }
      var smallest = hole
      var least = moved.priority
      if entries[left].priority < least {
        smallest = left
        least = entries[left].priority
      }
      if right < count, entries[right].priority < least { smallest = right }
      if smallest == hole { break }
      entries[hole] = entries[smallest]
      hole = smallest
    }
    entries[hole] = moved
    return top
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: entries, count: count)
    entries.deallocate()
    entries = larger
    capacity *= 2
  }
}
