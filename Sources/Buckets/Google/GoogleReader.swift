import CurlClient

/// Reads objects of Google Cloud Storage as they are stored.
struct GoogleReader: ObjectReader {
  let service: GoogleService

  func get(
    _ key: ObjectKey, _ range: Range<Int>, version: String?, into sink: RangeSink
  ) async throws {
    let query = [("alt", "media")] + (version.map { [("generation", $0)] } ?? [])
    let request = HTTPRequest(
      "GET", try service.endpoint.object(key, query),
      fields: [
        HTTPField("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
        // Without it the store unpacks compressed objects on the way: ranges do not count then, and
        // the checksum is not that of what comes.
        HTTPField("Accept-Encoding", "gzip"),
      ],
      timeouts: service.settings.transferTimeouts)
    do { try await service.read(request, key, into: sink) } catch let failed as FailedTry
      where version != nil && [404, 412].contains(failed.error.answer?.status)
    {
      throw ObjectReplaced()
    }
  }

  /// The generation.
  func version(of head: HTTPHead) -> String? {
    guard let generation = head["x-goog-generation"], !generation.isEmpty,
      generation.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 })
    else { return nil }
    return generation
  }
}

extension HTTPHead {
  /// Of the whole object as it is stored; nil where the store tells none.
  var googleChecksum: ChecksumValue? {
    // One field with both sums, or one for each.
    for field in fields where field.name.lowercased() == "x-goog-hash" {
      for sum in field.value.split(whereSeparator: { ", ".contains($0) })
      where sum.hasPrefix("crc32c=") {
        return ChecksumValue(base64: String(sum.dropFirst("crc32c=".count)), .crc32c)
      }
    }
    return nil
  }

  /// Whether the bytes that follow are those that are stored, so that their sum can be compared.
  var isAsStored: Bool { self["x-goog-stored-content-encoding"] != "gzip" || isGzip }

  var isGzip: Bool { self["content-encoding"]?.lowercased() == "gzip" }
}
