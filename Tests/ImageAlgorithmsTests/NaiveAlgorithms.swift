import Arrays

/// The definitions, without any thought of speed, for the fast versions to be compared with.
enum Naive {
  typealias Pixel = (row: Int, column: Int)

  static func pixels<E>(_ image: NDArray<E>) -> [Pixel] {
    (0..<image.shape[0]).flatMap { row in (0..<image.shape[1]).map { (row, $0) } }
  }

  static func isInside<E>(_ row: Int, _ column: Int, _ image: NDArray<E>) -> Bool {
    row >= 0 && column >= 0 && row < image.shape[0] && column < image.shape[1]
  }

  /// Reconstruction by dilation until nothing changes.
  static func hMaxima(_ image: NDArray<Float>, h: Float, radius: Int) -> NDArray<Bool> {
    let values = image.elements
    guard let low = values.min(), let high = values.max(), h <= high - low else {
      return NDArray(shape: image.shape)
    }
    var reconstruction = image.map { $0 - h - Float(2e-6) * abs($0) }
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      let before = reconstruction
      for (row, column) in pixels(image) {
        var greatest = -Float.infinity
        for y in -radius...radius {
          for x in -radius...radius where y * y + x * x <= radius * radius {
            if isInside(row + y, column + x, image) {
              greatest = max(greatest, before[row + y, column + x])
            }
          }
        }
        let value = min(image[row, column], greatest)
        if value != before[row, column] {
          reconstruction[row, column] = value
          hasChanged = true
        }
      }
    }
    return NDArray(
      shape: image.shape,
      elements: zip(values, reconstruction.elements).map { $0 - $1 >= h })
  }

  /// Flood fill from each pixel that has no label yet.
  static func components(
    _ mask: NDArray<Bool>, steps: [(Int, Int)]
  ) -> (labels: NDArray<Int32>, count: Int) {
    var labels = NDArray<Int32>(shape: mask.shape)
    var count: Int32 = 0
    for start in pixels(mask)
    where mask[start.row, start.column] && labels[start.row, start.column] == 0 {
      count += 1
      labels[start.row, start.column] = count
      var stack = [start]
      while let (row, column) = stack.popLast() {
        for (y, x) in steps where isInside(row + y, column + x, mask) {
          if mask[row + y, column + x], labels[row + y, column + x] == 0 {
            labels[row + y, column + x] = count
            stack.append((row + y, column + x))
          }
        }
      }
    }
    return (labels, Int(count))
  }

  static let four = [(-1, 0), (0, -1), (0, 1), (1, 0)]
  static let eight = four + [(-1, -1), (-1, 1), (1, -1), (1, 1)]

  /// One heap in an array with the sifts of the reference, one entry at a time.
  static func watershed(
    _ heights: NDArray<Float>, _ markers: NDArray<Int32>, _ mask: NDArray<Bool>
  ) -> NDArray<Int32> {
    struct Entry {
      let value: Double
      let age: Int
      let pixel: Pixel
      static func less(_ a: Entry, _ b: Entry) -> Bool {
        a.value != b.value ? a.value < b.value : a.age < b.age
      }
    }
    var heap: [Entry] = []
    func push(_ entry: Entry) {
      heap.append(entry)
      var child = heap.count - 1
      while child > 0 {
        let parent = (child + 1) / 2 - 1
        guard Entry.less(heap[child], heap[parent]) else { break }
        heap.swapAt(child, parent)
        child = parent
      }
    }
    func pop() -> Entry {
      let top = heap[0]
      let last = heap.removeLast()
      guard !heap.isEmpty else { return top }
      heap[0] = last
      var i = 0
      while true {
        var smallest = i
        if 2 * i + 1 < heap.count, Entry.less(heap[2 * i + 1], heap[i]) { smallest = 2 * i + 1 }
        if 2 * i + 2 < heap.count, Entry.less(heap[2 * i + 2], heap[smallest]) {
          smallest = 2 * i + 2
        }
        if smallest == i { return top }
        heap.swapAt(i, smallest)
        i = smallest
      }
    }
    var labels = NDArray<Int32>(shape: heights.shape)
    for (row, column) in pixels(heights) where mask[row, column] && markers[row, column] > 0 {
      labels[row, column] = markers[row, column]
      push(Entry(value: -Double(heights[row, column]), age: 0, pixel: (row, column)))
    }
    var age = 1
    while !heap.isEmpty {
      let (row, column) = pop().pixel
      for (y, x) in four where isInside(row + y, column + x, mask) {
        if mask[row + y, column + x], labels[row + y, column + x] == 0 {
          age += 1
          labels[row + y, column + x] = labels[row, column]
          push(
            Entry(
              value: -Double(heights[row + y, column + x]), age: age, pixel: (row + y, column + x)))
        }
      }
    }
    return labels
  }

  /// Label by label: the components of its complement inside its bounding box.
  static func fillHoles(_ labels: NDArray<Int32>, maximumArea: Int) -> NDArray<Int32> {
    var output = labels
    for label in Set(labels.elements).subtracting([0]).sorted() {
      let own = labels.map { $0 == label }
      let objects = components(own, steps: eight).count
      // Holes: parts of the complement that do not reach the frame around the image.
      var framed = NDArray<Bool>(
        shape: [labels.shape[0] + 2, labels.shape[1] + 2], repeating: true)
      for (row, column) in pixels(own) { framed[row + 1, column + 1] = !own[row, column] }
      guard objects - (components(framed, steps: four).count - 1) < 1 else { continue }

      let inside = pixels(own).filter { own[$0.row, $0.column] }
      let rows = inside.map(\.row).min()!...inside.map(\.row).max()!
      let columns = inside.map(\.column).min()!...inside.map(\.column).max()!
      var box = NDArray<Bool>(shape: [rows.count, columns.count])
      for (row, column) in pixels(box) {
        box[row, column] = output[row + rows.lowerBound, column + columns.lowerBound] != label
      }
      let holes = components(box, steps: four).labels
      for hole in Set(holes.elements).subtracting([0]) {
        guard holes.elements.count(where: { $0 == hole }) < maximumArea else { continue }
        for (row, column) in pixels(box) where holes[row, column] == hole {
          output[row + rows.lowerBound, column + columns.lowerBound] = label
        }
      }
    }
    return output
  }
}
