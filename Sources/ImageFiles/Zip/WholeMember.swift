import Arrays
import CDeflate
import CZip

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A member that libzip receives already compressed.
///
/// libzip stores what a source says is deflated as it is; libdeflate compresses and checksums a
/// label image about three times as fast as zlib does.
final class WholeMember {
  enum Content {
    case bytes([UInt8])
    case file(String)
  }

  private let content: Content
  private let level: Int32
  private var compressed: UnsafeMutableRawBufferPointer?
  private var compressedCount = 0
  private var size = 0
  private var checksum: UInt32 = 0
  private var position = 0
  private var error: (zip: Int32, system: Int32) = (0, 0)

  init(_ content: Content, level: Int32) {
    self.content = content
    self.level = level
  }

  deinit { compressed?.deallocate() }

  func open() -> Bool {
    position = 0
    return prepare()
  }

  /// Compresses when libzip first asks about this member, which is when it comes to write it: one
  /// member at a time is in memory, and its sizes are known before its header is written.
  private func prepare() -> Bool {
    if compressed != nil { return true }
    switch content {
    case .bytes(let bytes):
      return bytes.withUnsafeBytes { compress($0) }
    case .file(let path):
      guard let file = try? ByteSource(path: path, name: "") else { return fail(ZIP_ER_OPEN) }
      let storage = ArrayStorage(byteCount: file.size)
      guard file.read(into: storage.bytes, at: 0) == file.size else { return fail(ZIP_ER_READ) }
      return withExtendedLifetime(storage) { compress(UnsafeRawBufferPointer(storage.bytes)) }
    }
  }

  private func fail(_ code: Int32) -> Bool {
    error = (code, errno)
    return false
  }

  private func compress(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let compressor = libdeflate_alloc_compressor(level) else { return fail(ZIP_ER_MEMORY) }
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_deflate_compress_bound(compressor, bytes.count)
    // Only the part that is written to becomes real memory.
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: bound, alignment: 16)
    compressed = output
    compressedCount = libdeflate_deflate_compress(
      compressor, bytes.baseAddress, bytes.count, output.baseAddress, bound)
    size = bytes.count
    checksum = libdeflate_crc32(0, bytes.baseAddress, bytes.count)
    return compressedCount > 0 || fail(ZIP_ER_INTERNAL)
  }

  fileprivate func read(into target: UnsafeMutableRawPointer, count: Int) -> Int {
    guard let compressed else { return -1 }
    let part = min(count, compressedCount - position)
    if part > 0 {
      target.copyMemory(from: compressed.baseAddress! + position, byteCount: part)
      position += part
    }
    return part
  }

  fileprivate func close() {
    compressed?.deallocate()
    compressed = nil
  }

  fileprivate func describe(_ status: UnsafeMutablePointer<zip_stat_t>) -> Bool {
    // libzip asks once more after closing.
    guard compressedCount > 0 || prepare() else { return false }
    zip_stat_init(status)
    status.pointee.comp_method = UInt16(ZIP_CM_DEFLATE)
    status.pointee.size = UInt64(size)
    status.pointee.comp_size = UInt64(compressedCount)
    status.pointee.crc = checksum
    status.pointee.valid = UInt64(
      ZIP_STAT_COMP_METHOD | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC)
    return true
  }

  fileprivate func writeError(to data: UnsafeMutableRawPointer) -> Int64 {
    data.storeBytes(of: error.zip, as: Int32.self)
    data.storeBytes(of: error.system, toByteOffset: 4, as: Int32.self)
    return 8
  }
}

/// Serves libzip's requests; the context is retained for the source and released by it.
let wholeMemberCallback: zip_source_callback = { context, data, length, command in
  guard let context else { return -1 }
  let reference = Unmanaged<WholeMember>.fromOpaque(context)
  let member = reference.takeUnretainedValue()
  switch command {
  case ZIP_SOURCE_OPEN:
    return member.open() ? 0 : -1
  case ZIP_SOURCE_READ:
    return data.map { Int64(member.read(into: $0, count: Int(length))) } ?? -1
  case ZIP_SOURCE_CLOSE:
    member.close()
    return 0
  case ZIP_SOURCE_STAT:
    guard let data, length >= MemoryLayout<zip_stat_t>.size else { return -1 }
    guard member.describe(data.assumingMemoryBound(to: zip_stat_t.self)) else { return -1 }
    return Int64(MemoryLayout<zip_stat_t>.size)
  case ZIP_SOURCE_ERROR:
    return data.map { member.writeError(to: $0) } ?? -1
  case ZIP_SOURCE_FREE:
    reference.release()
    return 0
  case ZIP_SOURCE_SUPPORTS:
    return [
      ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
      ZIP_SOURCE_FREE,
    ].reduce(0) { $0 | 1 << Int64($1.rawValue) }
  default:
    return -1
  }
}
