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
/// Blocks of 4 MiB and more are mapped by themselves, on huge pages: page faults are otherwise half the
/// cost of a large predict call, and memory taken from the heap stays there in pieces when the job
/// that needed it is over.
public final class ArrayStorage: @unchecked Sendable {  // written only while uniquely referenced
  public let bytes: UnsafeMutableRawBufferPointer
  private let isMapped: Bool

  private static let hugePage = 2 << 20
  private static let mappedSize = 4 << 20

  /// Memory with unspecified content.
  ///
  /// - Parameter byteCount: at least 0; the caller checks limits before it asks for memory.
  public init(byteCount: Int) {
    precondition(byteCount >= 0, "negative array size \(byteCount)")
    isMapped = byteCount >= Self.mappedSize
    guard let start = isMapped ? Self.map(byteCount) : Self.allocate(byteCount) else {
      fatalError("out of memory: cannot allocate \(byteCount) bytes for an array")
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: byteCount)
  }

  deinit {
    if isMapped {
      munmap(bytes.baseAddress, bytes.count)
    } else {
      free(bytes.baseAddress)
    }
  }

  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    var pointer: UnsafeMutableRawPointer?
    return posix_memalign(&pointer, 64, max(byteCount, 1)) == 0 ? pointer : nil
  }

  /// Maps memory that begins on a huge page: a little more is mapped, and what lies before the first
  /// boundary is given back, as is what remains behind.
  private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    let (padded, overflow) = byteCount.addingReportingOverflow(hugePage)
    guard !overflow,
      let mapping = mmap(
        nil, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED
    else { return nil }
    let start = mapping.alignedUp(toMultipleOf: hugePage)
    if start > mapping { munmap(mapping, start - mapping) }
    let end = (start + byteCount).alignedUp(toMultipleOf: Int(sysconf(Int32(_SC_PAGESIZE))))
    if mapping + padded > end { munmap(end, mapping + padded - end) }
    #if os(Linux)
      // Only a hint: where the kernel has no huge pages the call fails and nothing is lost.
      _ = madvise(start, byteCount, MADV_HUGEPAGE)
    #endif
    return start
  }
}
