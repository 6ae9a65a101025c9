// Reads and deletions.

extension GoogleFakeState {
  mutating func serve(_ request: GoogleFakeRequest) -> GoogleFakeAnswer {
    let name = request.object ?? ""
    let missing = "No such object: \(bucket)/\(name)"
    guard let object = objects[name],
      request.query["generation"].map({ $0 == "\(object.generation)" }) ?? true
    else {
      return request.operation == .media ? .plain(404, missing) : .error(404, "notFound", missing)
    }
    switch request.operation {
    case .delete:
      objects[name] = nil
      return GoogleFakeAnswer(204)
    case .media: return media(object, request)
    default: return Self.resource(object, name: name, bucket: bucket)
    }
  }

  private func media(
    _ object: GoogleFake.Object, _ request: GoogleFakeRequest
  ) -> GoogleFakeAnswer {
    var fields = [
      "Content-Type": object.contentType, "x-goog-generation": "\(object.generation)",
      "x-goog-metageneration": "1", "x-goog-hash": "crc32c=\(object.checksum)",
      "x-goog-stored-content-length": "\(object.blob.count)",
      "x-goog-stored-content-encoding": object.uncompressed == nil ? "identity" : "gzip",
    ]
    if let plain = object.uncompressed {
      guard !unpacksAlways, request.fields["accept-encoding"]?.contains("gzip") == true else {
        // Unpacked on the way; ranges do not count, and the hash is that of the compressed bytes.
        fields["Warning"] = "214 UploadServer gunzipped"
        return GoogleFakeAnswer(200, fields, body: .blob(plain, 0..<plain.count))
      }
      fields["Content-Encoding"] = "gzip"
    }
    let size = object.blob.count
    guard let range = request.fields["range"].flatMap({ Self.range($0, of: size) }) else {
      return GoogleFakeAnswer(200, fields, body: .blob(object.blob, 0..<size))
    }
    guard !range.isEmpty else {
      var answer = GoogleFakeAnswer.plain(416, "The requested range cannot be satisfied.")
      answer.fields["Content-Range"] = "bytes */\(size)"
      return answer
    }
    fields["Content-Range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    return GoogleFakeAnswer(206, fields, body: .blob(object.blob, range))
  }

  /// Nil for what is not one range of bytes, which is ignored; empty for one beyond the end.
  private static func range(_ text: String, of size: Int) -> Range<Int>? {
    guard text.hasPrefix("bytes=") else { return nil }
    let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    guard let first = Int(ends[0]) else {
      return Int(ends[1]).map { max(0, size - $0)..<size }
    }
    guard let last = ends[1].isEmpty ? .max - 1 : Int(ends[1]), first <= last else { return nil }
    return min(first, size)..<min(last + 1, size)
  }

  static func resource(
    _ object: GoogleFake.Object, name: String, bucket: String
  ) -> GoogleFakeAnswer {
    GoogleFakeAnswer(
      200, ["Content-Type": "application/json; charset=UTF-8"],
      text: """
        {"kind":"storage#object","name":"\(name)","bucket":"\(bucket)",\
        "generation":"\(object.generation)","size":"\(object.blob.count)",\
        "crc32c":"\(object.checksum)"}
        """)
  }
}
