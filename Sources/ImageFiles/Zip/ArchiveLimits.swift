/// What an archive may hold, checked against its directory before anything is unpacked and counted
/// again while unpacking, since directories lie.
public struct ArchiveLimits: Sendable, Equatable {
  /// Members, folders included.
  public var members: Int
  /// Bytes of all members together.
  public var bytes: Int
  /// Unpacked bytes per byte of the archive.
  public var expansion: Int
  /// Bytes that may be unpacked whatever the archive's size.
  public var freeExpansion: Int

  public init(
    members: Int = 10_000, bytes: Int = 16 << 30, expansion: Int = 200,
    freeExpansion: Int = 64 << 20
  ) {
    self.members = members
    self.bytes = bytes
    self.expansion = expansion
    self.freeExpansion = freeExpansion
  }

  /// Bytes that may come out of an archive of `stored` bytes.
  func unpackedBytes(of stored: Int) -> Int {
    let (product, overflow) = stored.multipliedReportingOverflow(by: expansion)
    return min(bytes, max(freeExpansion, overflow ? .max : product))
  }
}
