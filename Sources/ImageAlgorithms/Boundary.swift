/// What lies outside an image, for algorithms that look beyond its edge.
enum Boundary {
  /// Index of the pixel seen at `i` when `n` pixels are mirrored without repeating the edge:
  /// `c b | a b c | b a`, as often as needed.
  @inline(__always) static func reflect101(_ i: Int, _ n: Int) -> Int {
    if n == 1 { return 0 }
    let period = 2 * (n - 1)
    let phase = ((i % period) + period) % period
    return phase < n ? phase : period - phase
  }

  /// Index of the pixel seen at `i` when `n` pixels are mirrored with the edge repeated:
  /// `b a | a b c | c b`, as often as needed.
  @inline(__always) static func reflectEdge(_ i: Int, _ n: Int) -> Int {
    let period = 2 * n
    let phase = ((i % period) + period) % period
    return phase < n ? phase : period - 1 - phase
  }
}
