/// Pixels waiting in a flood, least first, as a ``FloodHeap`` would give them but faster.
///
/// Only what is due soon is kept in order. All other pixels lie unsorted in bands, one for each
/// stretch of heights; when nothing is due, the next band is sorted. There are only a few pixels in
/// one, so a pixel costs one write on arrival and a few comparisons in the fastest cache. Those
/// that arrive for the current band or an earlier one, and large bands, go through a heap.
///
/// Equal keys leave in the order they came. Markers, which all have the age 0, are the exception:
/// the flood looks after those itself.
struct FloodQueue: ~Copyable {
  private var heap = FloodHeap()
  /// The current band, the least pixel last.
  private let batch = UnsafeMutablePointer<FloodHeap.Entry>.allocate(capacity: batchCapacity)
  private var batchCount = 0
  private static var batchCapacity: Int { 48 }
  private var age: UInt32 = 1
  private var bands: FloodBands
  private var band: Int32 = -1

  /// The latest chunk of each band, -1 for none.
  private var heads: UnsafeMutablePointer<Int32>
  private var headCapacity: Int
  private var chunks: UnsafeMutablePointer<Chunk>
  private var chunkCount: Int32 = 0
  private var chunkCapacity: Int32 = 1024
  private var freeChunk: Int32 = -1
  private var moving: [Int32] = []

  /// Half a cache line of pixels of one band; markers are stored as their complement.
  private struct Chunk {
    static let capacity: Int32 = 6
    /// The chunk filled before this one.
    var next: Int32
    var count: Int32
    private var pixels: (Int64, Int64, Int64) = (0, 0, 0)

    init(next: Int32) { (self.next, count) = (next, 0) }
  }

  init() {
    bands = FloodBands(keys: 0...0, kind: .ranks, pixels: 0)
    headCapacity = Int(bands.count)
    heads = .allocate(capacity: headCapacity)
    chunks = .allocate(capacity: Int(chunkCapacity))
  }

  /// Gets ready for another flood; the queue is empty.
  mutating func restart(bands: FloodBands) {
    self.bands = bands
    (band, age) = (-1, 1)
    (chunkCount, freeChunk) = (0, -1)
    if Int(bands.count) > headCapacity {
      heads.deallocate()
      headCapacity = Int(bands.count)
      heads = .allocate(capacity: headCapacity)
    }
    heads.initialize(repeating: -1, count: Int(bands.count))
  }

  deinit {
    batch.deallocate()
    heads.deallocate()
    chunks.deallocate()
  }

  /// The least entry that is due; nil when ``advance(key:)`` must be called.
  @inline(__always) var least: FloodHeap.Entry? {
    if batchCount == 0 { return heap.isEmpty ? nil : heap.least }
    return isHeapNext ? heap.least : batch[batchCount &- 1]
  }

  @inline(__always) private var isHeapNext: Bool {
    !heap.isEmpty && heap.least.priority < batch[batchCount &- 1].priority
  }

  /// Removes the least entry; there must be one that is due.
  @inline(__always) mutating func pop() -> FloodHeap.Entry {
    if batchCount == 0 || isHeapNext { return heap.pop() }
    batchCount &-= 1
    return batch[batchCount]
  }

  @inline(__always)
  mutating func push(_ pixel: Int32, key: UInt32) {
    let target = bands.band(of: key)
    if target <= band {
      heap.push(FloodHeap.Entry(key: key, age: age, pixel: pixel))
      age &+= 1
    } else {
      append(pixel, to: target)
    }
  }

  /// Adds a marker, before any pixel is taken out.
  @inline(__always)
  mutating func pushMarker(_ pixel: Int32, key: UInt32) {
    append(~pixel, to: bands.band(of: key))
  }

  @inline(__always)
  private func pixels(of chunk: Int32) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(chunks + Int(chunk)).assumingMemoryBound(to: Int32.self) + 2
  }

  @inline(__always)
  private mutating func append(_ pixel: Int32, to band: Int32) {
    var chunk = heads[Int(band)]
    if chunk < 0 || chunks[Int(chunk)].count == Chunk.capacity {
      chunk = newChunk(next: chunk)
      heads[Int(band)] = chunk
    }
    let count = chunks[Int(chunk)].count
    pixels(of: chunk)[Int(count)] = pixel
    chunks[Int(chunk)].count = count &+ 1
  }

  private mutating func newChunk(next: Int32) -> Int32 {
    var index = freeChunk
    if index >= 0 {
      freeChunk = chunks[Int(index)].next
    } else {
      if chunkCount == chunkCapacity { grow() }
      index = chunkCount
      chunkCount += 1
    }
    (chunks + Int(index)).initialize(to: Chunk(next: next))
    return index
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Chunk>.allocate(capacity: 2 * Int(chunkCapacity))
    larger.moveInitialize(from: chunks, count: Int(chunkCount))
    chunks.deallocate()
    chunks = larger
    chunkCapacity *= 2
  }

  /// Makes the next band due; false when nothing is left.
  ///
  /// - Parameter key: the key of a pixel, or nil if it has nothing to flood any more.
  @inline(__always)
  mutating func advance(key: (Int) -> UInt32?) -> Bool {
    band &+= 1
    while band < bands.count, heads[Int(band)] < 0 { band &+= 1 }
    guard band < bands.count else { return false }
    takeBand()
    let isSmall = moving.count <= Self.batchCapacity
    // The latest were found first.
    var i = moving.count &- 1
    moving.withUnsafeBufferPointer { moving in
      while i >= 0 {
        let isMarker = moving[i] < 0
        let pixel = isMarker ? ~moving[i] : moving[i]
        i &-= 1
        guard let key = key(Int(pixel)) else { continue }
        let entry = FloodHeap.Entry(key: key, age: isMarker ? 0 : age, pixel: pixel)
        age &+= 1
        if isSmall { sortIn(entry) } else { heap.push(entry) }
      }
    }
    return true
  }

  @inline(__always)
  private mutating func sortIn(_ entry: FloodHeap.Entry) {
    var place = batchCount
    while place > 0, batch[place &- 1].priority < entry.priority {
      batch[place] = batch[place &- 1]
      place &-= 1
    }
    batch[place] = entry
    batchCount &+= 1
  }

  /// Moves the pixels of the current band to `moving`, the latest first.
  private mutating func takeBand() {
    moving.removeAll(keepingCapacity: true)
    var chunk = heads[Int(band)]
    heads[Int(band)] = -1
    while chunk >= 0 {
      let next = chunks[Int(chunk)].next
      let pixels = pixels(of: chunk)
      var i = Int(chunks[Int(chunk)].count) &- 1
      while i >= 0 {
        moving.append(pixels[i])
        i &-= 1
      }
      chunks[Int(chunk)].next = freeChunk
      freeChunk = chunk
      chunk = next
    }
  }
}

/// Sorts heights coarsely: equal ones into the same band, lesser ones never into a later one.
struct FloodBands {
  let count: Int32
  private let kind: ReliefKind
  private let origin: Float
  private let scale: Float

  /// Bands of equal width over a range of keys.
  init(keys: ClosedRange<UInt32>, kind: ReliefKind, pixels: Int) {
    self.kind = kind
    origin = kind.height(of: keys.lowerBound)
    let range = kind.height(of: keys.upperBound) - origin
    // A few pixels per band, if heights are spread evenly.
    let wanted = Float(min(max(pixels / 8, 16), 1 << 18))
    let scale = wanted / range
    self.scale = scale.isFinite && range.isFinite ? scale : 0
    count = Int32(range.isFinite ? wanted : 0) + 2
  }

  @inline(__always)
  func band(of key: UInt32) -> Int32 {
    let position = (kind.height(of: key) - origin) * scale
    // Infinite heights end up in the first or the last band, and so do the few that rounding puts
    // beyond it.
    return position < Float(count - 1) ? Int32(position) : count - 1
  }
}
