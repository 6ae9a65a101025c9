import Arrays

/// Contrast-limited adaptive histogram equalization of one channel.
///
/// The image is padded by mirroring so that blocks of the kernel's size cover it; each block gets a
/// histogram and from it a map of grey levels, and a pixel is interpolated between the maps of the
/// four blocks around it. What becomes of a pixel depends on its bin and place alone, so nothing
/// but its bin, a byte, is kept.
struct AdaptiveEqualization {
  private let rows: Int
  private let columns: Int
  private let kernelRows: Int
  private let kernelColumns: Int
  private let paddedRows: Int
  private let paddedColumns: Int
  private let blockRows: Int
  private let blockColumns: Int

  init(rows: Int, columns: Int, kernelRows: Int, kernelColumns: Int) {
    func padded(_ n: Int, _ kernel: Int) -> Int {
      kernel / 2 + n + (kernel - n % kernel) % kernel + (kernel + 1) / 2
    }
    (self.rows, self.columns) = (rows, columns)
    (self.kernelRows, self.kernelColumns) = (kernelRows, kernelColumns)
    paddedRows = padded(rows, kernelRows)
    paddedColumns = padded(columns, kernelColumns)
    blockRows = paddedRows / kernelRows - 1
    blockColumns = paddedColumns / kernelColumns - 1
  }

  /// Writes the result for all pixels of the channel; false if they are not finite.
  func apply(to input: UnsafeBufferPointer<Float>, into output: UnsafeMutablePointer<Float>) -> Bool
  {
    guard let extent = Extent(of: input) else { return false }
    if extent.least == extent.greatest {
      output.update(repeating: 0, count: input.count)
      return true
    }
    let levels = GreyLevels(extent)
    guard levels.isFinite else { return false }
    let storage = ArrayStorage(byteCount: paddedRows * paddedColumns)
    let bins = storage.bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    writeBins(of: input, levels, into: bins)
    interpolate(bins, into: output)
    withExtendedLifetime(storage) {}
    stretch(output, count: input.count)
    return true
  }

  // MARK: Bins

  private func writeBins(
    of input: UnsafeBufferPointer<Float>, _ levels: GreyLevels,
    into bins: UnsafeMutablePointer<UInt8>
  ) {
    let (top, left) = (kernelRows / 2, kernelColumns / 2)
    var numbers = [UInt32](repeating: 0, count: columns)
    numbers.withUnsafeMutableBufferPointer { numbers in
      for row in 0..<rows {
        levels.write(
          input.baseAddress! + row * columns, count: columns, scratch: numbers.baseAddress!,
          into: bins + ((row + top) * paddedColumns + left))
      }
    }
    for row in top..<(top + rows) {
      let line = bins + row * paddedColumns
      for x in 0..<left { line[x] = line[left + Boundary.reflect101(x - left, columns)] }
      for x in (left + columns)..<paddedColumns {
        line[x] = line[left + Boundary.reflect101(x - left, columns)]
      }
    }
    for row in 0..<paddedRows where row < top || row >= top + rows {
      let source = top + Boundary.reflect101(row - top, rows)
      (bins + row * paddedColumns).update(
        from: bins + source * paddedColumns, count: paddedColumns)
    }
  }

  // MARK: Blocks

  /// Computes the maps of one row of blocks: 256 grey levels for each.
  private func makeMaps(
    ofBlockRow blockRow: Int, _ bins: UnsafePointer<UInt8>, into maps: UnsafeMutablePointer<UInt16>
  ) {
    let pixels = kernelRows * kernelColumns
    let limit = Int32(max(0.01 * Double(kernelRows) * Double(kernelColumns), 1))
    // Two histograms, so that equal neighbours do not wait for each other.
    let size = HistogramClip.bins
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * size) { histograms in
      let first = histograms.baseAddress!
      let second = first + size
      for block in 0..<blockColumns {
        histograms.update(repeating: 0)
        let start = kernelRows / 2 + blockRow * kernelRows
        for row in start..<start + kernelRows {
          let line = bins + (row * paddedColumns + kernelColumns / 2 + block * kernelColumns)
          var x = 0
          while x + 1 < kernelColumns {
            first[Int(line[x])] &+= 1
            second[Int(line[x + 1])] &+= 1
            x += 2
          }
          if x < kernelColumns { first[Int(line[x])] &+= 1 }
        }
        for bin in 0..<size { first[bin] += second[bin] }
        HistogramClip.redistribute(first, above: limit)
        HistogramClip.levels(of: first, pixels: pixels, into: maps + block * size)
      }
    }
  }

  // MARK: Interpolation

  private func interpolate(
    _ bins: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<Float>
  ) {
    let size = HistogramClip.bins
    let mapCount = blockColumns * size
    let cells = paddedColumns / kernelColumns
    let tables = UnsafeMutablePointer<SIMD4<Double>>.allocate(capacity: cells * size)
    let maps = UnsafeMutablePointer<UInt16>.allocate(capacity: 2 * mapCount)
    let shares = UnsafeMutablePointer<SIMD2<Double>>.allocate(capacity: kernelColumns)
    defer {
      tables.deallocate()
      maps.deallocate()
      shares.deallocate()
    }
    for x in 0..<kernelColumns {
      let right = Double(x) / Double(kernelColumns)
      shares[x] = SIMD2(1 - right, right)
    }
    // The maps above and below the row of cells.
    var (above, below) = (maps, maps + mapCount)
    makeMaps(ofBlockRow: 0, bins, into: below)
    above.update(from: below, count: mapCount)

    let (top, left) = (kernelRows / 2, kernelColumns / 2)
    for cellRow in 0..<(paddedRows / kernelRows) {
      if cellRow > 0 {
        swap(&above, &below)
        if cellRow < blockRows {
          makeMaps(ofBlockRow: cellRow, bins, into: below)
        } else {
          below.update(from: above, count: mapCount)
        }
      }
      for cell in 0..<cells {
        let a = max(cell - 1, 0) * size
        let b = min(cell, blockColumns - 1) * size
        for bin in 0..<size {
          tables[cell * size + bin] = SIMD4(
            Double(above[a + bin]), Double(above[b + bin]),
            Double(below[a + bin]), Double(below[b + bin]))
        }
      }
      let first = max(cellRow * kernelRows, top)
      let end = min((cellRow + 1) * kernelRows, top + rows)
      for row in first..<max(end, first) {
        let down = Double(row % kernelRows) / Double(kernelRows)
        interpolateRow(
          bins + row * paddedColumns, from: left, tables: tables, shares: shares, down: down,
          into: output + (row - top) * columns)
      }
    }
  }

  /// Interpolates the columns `left..<left + columns` of a padded row.
  @inline(__always)
  private func interpolateRow(
    _ line: UnsafePointer<UInt8>, from left: Int, tables: UnsafePointer<SIMD4<Double>>,
    shares: UnsafePointer<SIMD2<Double>>, down: Double, into output: UnsafeMutablePointer<Float>
  ) {
    let up = 1 - down
    var x = left
    while x < left + columns {
      let cell = x / kernelColumns
      let start = cell * kernelColumns
      let end = min(start + kernelColumns, left + columns)
      let table = tables + cell * HistogramClip.bins
      while x < end {
        let share = shares[x &- start]
        let levels = table[Int(line[x])]
        // Each product is rounded before it is added.
        let above = SIMD2<Float>(levels.lowHalf * (share * up))
        let below = SIMD2<Float>(levels.highHalf * (share * down))
        output[x &- left] = ((above.x + above.y) + below.x) + below.y
        x &+= 1
      }
    }
    truncate(output, count: columns)
  }

  /// Rounds numbers between 0 and 2^22 down.
  @inline(__always)
  private func truncate(_ values: UnsafeMutablePointer<Float>, count: Int) {
    let magic: Float = 8_388_608
    for x in 0..<count {
      let nearest = (values[x] + magic) - magic
      values[x] = nearest > values[x] ? nearest - 1 : nearest
    }
  }

  /// Brings the grey levels to 0...1.
  private func stretch(_ output: UnsafeMutablePointer<Float>, count: Int) {
    guard let extent = Extent(of: UnsafeBufferPointer(start: output, count: count)) else { return }
    let range = extent.greatest - extent.least
    if range == 0 {
      for i in 0..<count { output[i] = min(max(output[i], 0), 1) }
    } else {
      for i in 0..<count { output[i] = (output[i] - extent.least) / range }
    }
  }
}

/// The steps from pixel values to histogram bins: 16 bits, 16384 levels, then bins of 65 levels.
private struct GreyLevels {
  private let least: Float
  private let range: Float
  private let bins: [UInt8]

  init(_ extent: Extent<Float>) {
    least = extent.least
    range = Float(Double(extent.greatest) - Double(extent.least))
    // The least value becomes 0; every step keeps the order, so the greatest number is known too.
    let greatest =
      range.isFinite ? ((extent.greatest - least) / range * 65535).rounded(.toNearestOrEven) : 65535
    let highest = min(max(greatest, 1), 65535)
    bins = (0..<(1 << 17)).map { number in
      let level = (min(Double(number), Double(highest)) / Double(highest) * 16383)
        .rounded(.toNearestOrEven)
      return UInt8(Int(level) / 65)
    }
  }

  /// Whether no two values differ by more than a `Float` can hold.
  var isFinite: Bool { range.isFinite }

  func write(
    _ values: UnsafePointer<Float>, count: Int, scratch numbers: UnsafeMutablePointer<UInt32>,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    // Adding 1.5 * 2^23 rounds to the nearest even integer and leaves it in the lowest bits.
    let magic: Float = 12_582_912
    for x in 0..<count {
      numbers[x] = ((values[x] - least) / range * 65535 + magic).bitPattern & 0x1_FFFF
    }
    bins.withUnsafeBufferPointer { bins in
      for x in 0..<count { output[x] = bins[Int(numbers[x])] }
    }
  }
}
