import Arrays

/// The pixel types real-valued images are processed in: `Float`, and `Double` for reference.
public protocol RealPixel: ArrayElement, BinaryFloatingPoint, SIMDScalar, Codable {
  init(rounding value: Double)
  var asDouble: Double { get }
  /// An integer that orders as the numbers do; -0 comes before 0.
  var orderedBits: UInt64 { get }
  init(orderedBits: UInt64)
}

extension Float: RealPixel {
  @inlinable @inline(__always) public init(rounding value: Double) { self = Float(value) }
  @inlinable @inline(__always) public var asDouble: Double { Double(self) }

  @inlinable @inline(__always) public var orderedBits: UInt64 {
    UInt64(sign == .minus ? ~bitPattern : bitPattern | 1 << 31)
  }

  @inlinable public init(orderedBits: UInt64) {
    let bits = UInt32(truncatingIfNeeded: orderedBits)
    self.init(bitPattern: bits >> 31 == 0 ? ~bits : bits & ~(1 << 31))
  }
}

extension Double: RealPixel {
  @inlinable @inline(__always) public init(rounding value: Double) { self = value }
  @inlinable @inline(__always) public var asDouble: Double { self }

  @inlinable @inline(__always) public var orderedBits: UInt64 {
    sign == .minus ? ~bitPattern : bitPattern | 1 << 63
  }

  @inlinable public init(orderedBits bits: UInt64) {
    self.init(bitPattern: bits >> 63 == 0 ? ~bits : bits & ~(1 << 63))
  }
}

/// The least and greatest of some pixels.
struct Extent<Pixel: RealPixel> {
  var least: Pixel
  var greatest: Pixel

  /// The extent of `pixels`, or nil if one is NaN or infinite; 0...0 if there are none.
  @inline(__always)
  init?(of pixels: UnsafeBufferPointer<Pixel>) {
    guard let first = pixels.first else {
      (least, greatest) = (0, 0)
      return
    }
    // Two times four of each, so that the loop is not one long chain of dependent comparisons. A NaN
    // or an infinity anywhere leaves a NaN in `spoiled`, since x - x is 0 for all other x.
    typealias Lanes = SIMD4<Pixel>
    var (low, low2) = (Lanes(repeating: first), Lanes(repeating: first))
    var (high, high2) = (low, low)
    var spoiled = Lanes(repeating: 0)
    let blocks = pixels.count / 8
    let base = UnsafeRawPointer(pixels.baseAddress!)
    for block in 0..<blocks {
      let offset = block &* 8 &* MemoryLayout<Pixel>.stride
      let x = base.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
      let y = base.loadUnaligned(
        fromByteOffset: offset &+ MemoryLayout<Lanes>.stride, as: Lanes.self)
      low.replace(with: x, where: x .< low)
      low2.replace(with: y, where: y .< low2)
      high.replace(with: x, where: x .> high)
      high2.replace(with: y, where: y .> high2)
      spoiled += (x - x) + (y - y)
    }
    low.replace(with: low2, where: low2 .< low)
    high.replace(with: high2, where: high2 .> high)
    var (least, greatest, sum) = (low.min(), high.max(), spoiled.sum())
    for i in (blocks * 8)..<pixels.count {
      let x = pixels[i]
      least = x < least ? x : least
      greatest = x > greatest ? x : greatest
      sum += x - x
    }
    guard sum == 0 else { return nil }
    (self.least, self.greatest) = (least, greatest)
  }
}
