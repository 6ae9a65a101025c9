/// Pixels waiting in a flood, least first, as a ``FloodHeap`` would give them but faster.
///
/// Only a heap of what is due soon is kept. All other pixels lie unsorted in bands, one for each
/// stretch of keys; when the heap is empty the next band is moved into it. So the heap stays small
/// enough for the fastest cache, and most pixels cost one write on arrival.
///
/// Equal keys leave in the order they came. Markers, which all have the age 0, are the exception:
/// the flood looks after those itself.
struct FloodQueue: ~Copyable {
  private var heap = FloodHeap()
  private var age: UInt32 = 1
  private let leastKey: UInt32
  private let shift: UInt32
  private var band = -1

  /// Band heads: an index into `chunks`, -1 for an empty band.
  private var heads: [Int32]
  private var chunks: [Chunk] = []
  private var freeChunk: Int32 = -1
  private var moving: [Int32] = []

  /// A cache line of pixels of one band; markers are stored as their complement.
  private struct Chunk {
    var next: Int32
    var count: Int32 = 0
    var pixels: InlineArray<14, Int32> = .init(repeating: 0)
  }

  /// A queue for keys between two numbers.
  init(keys: ClosedRange<UInt32>, maximumBands: Int = 1 << 16) {
    leastKey = keys.lowerBound
    let span = keys.upperBound - keys.lowerBound
    var shift: UInt32 = 0
    while Int(span >> shift) >= maximumBands { shift += 1 }
    self.shift = shift
    heads = Array(repeating: -1, count: Int(span >> shift) + 1)
  }

  /// The least entry that is due; nil when ``advance(key:)`` must be called.
  @inline(__always) var least: FloodHeap.Entry? { heap.isEmpty ? nil : heap.least }

  /// Removes the least entry; there must be one that is due.
  @inline(__always) mutating func pop() -> FloodHeap.Entry { heap.pop() }

  @inline(__always)
  mutating func push(_ pixel: Int32, key: UInt32) {
    let target = Int((key &- leastKey) >> shift)
    if target <= band {
      heap.push(FloodHeap.Entry(key: key, age: age, pixel: pixel))
      age &+= 1
    } else {
      append(pixel, to: target)
    }
  }

  /// Adds a marker, before any pixel is taken out.
  mutating func pushMarker(_ pixel: Int32, key: UInt32) {
    append(~pixel, to: Int((key &- leastKey) >> shift))
  }

  @inline(__always)
  private mutating func append(_ pixel: Int32, to band: Int) {
    let head = heads[band]
    if head >= 0 {
      let count = chunks[Int(head)].count
      if count < 14 {
        chunks[Int(head)].pixels[Int(count)] = pixel
        chunks[Int(head)].count = count + 1
        return
      }
    }
    let index: Int32
    if freeChunk >= 0 {
      index = freeChunk
      freeChunk = chunks[Int(index)].next
      chunks[Int(index)].next = head
    } else {
      index = Int32(chunks.count)
      chunks.append(Chunk(next: head))
    }
    chunks[Int(index)].pixels[0] = pixel
    chunks[Int(index)].count = 1
    heads[band] = index
  }

  /// Makes the next band due; false when nothing is left.
  ///
  /// - Parameter key: the key of a pixel.
  @inline(__always)
  mutating func advance(key: (Int32) -> UInt32) -> Bool {
    while heap.isEmpty {
      band += 1
      while band < heads.count, heads[band] < 0 { band += 1 }
      guard band < heads.count else { return false }
      takeBand()
      // The latest were found first; the heap wants them in the order they came.
      for pixel in moving.reversed() {
        if pixel < 0 {
          heap.push(FloodHeap.Entry(key: key(~pixel), age: 0, pixel: ~pixel))
        } else {
          heap.push(FloodHeap.Entry(key: key(pixel), age: age, pixel: pixel))
          age &+= 1
        }
      }
    }
    return true
  }

  /// Moves the pixels of the current band to `moving`, the latest first.
  private mutating func takeBand() {
    moving.removeAll(keepingCapacity: true)
    var index = heads[band]
    heads[band] = -1
    while index >= 0 {
      let next = chunks[Int(index)].next
      for i in stride(from: Int(chunks[Int(index)].count) - 1, through: 0, by: -1) {
        moving.append(chunks[Int(index)].pixels[i])
      }
      chunks[Int(index)].next = freeChunk
      freeChunk = index
      index = next
    }
  }
}
