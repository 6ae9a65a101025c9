#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One block of memory that arrays share until one of them writes.
///
/// A class with memory of its own, not a Swift `Array`, so that a tensor can be lent to gRPC for as
/// long as a call takes: retain the storage, hand out ``bytes``, release when gRPC is done.
///
/// Blocks of 4 MiB and more are aligned to huge pages: page faults are otherwise half the cost of
/// a large predict call.
public final class ArrayStorage: @unchecked Sendable {  // written only while uniquely referenced
  public let bytes: UnsafeMutableRawBufferPointer

  private static let hugePage = 2 << 20
  private static let hugeThreshold = 4 << 20

  /// Memory with unspecified content.
  ///
  /// - Parameter byteCount: at least 0; the caller checks limits before it asks for memory.
  public init(byteCount: Int) {
    precondition(byteCount >= 0, "negative array size \(byteCount)")
    let isHuge = byteCount >= Self.hugeThreshold
    let alignment = isHuge ? Self.hugePage : 64
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, alignment, max(byteCount, 1)) == 0, let pointer else {
      fatalError("out of memory: cannot allocate \(byteCount) bytes for an array")
    }
    #if os(Linux)
      // Only a hint: where the kernel has no huge pages the call fails and nothing is lost.
      if isHuge { _ = madvise(pointer, byteCount, MADV_HUGEPAGE) }
    #endif
    bytes = UnsafeMutableRawBufferPointer(start: pointer, count: byteCount)
  }

  deinit { free(bytes.baseAddress) }
}
