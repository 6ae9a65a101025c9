// Resumable uploads after their beginning.

/// Where a chunk belongs: `bytes FIRST-LAST/TOTAL` or `bytes */TOTAL`, each total may be `*`.
struct ContentRange: Equatable {
  var bytes: ClosedRange<Int>?
  var total: Int?

  init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.hasPrefix("bytes "), parts.count == 2 else { return nil }
    total = Int(parts[1])
    guard total != nil || parts[1] == "*" else { return nil }
    let range = parts[0].dropFirst(6)
    if range == "*" { return }
    let ends = range.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Int(ends[0]), let last = Int(ends[1]), first <= last,
      last < total ?? .max
    else { return nil }
    bytes = first...last
  }
}

extension GoogleFakeState {
  func session(_ request: GoogleFakeRequest) -> Session? {
    request.query["upload_id"].flatMap { sessions[$0] ?? finished[$0] }
  }

  static let gone = GoogleFakeAnswer.plain(404, "Not Found")

  mutating func cancel(_ request: GoogleFakeRequest) -> GoogleFakeAnswer {
    guard let id = request.query["upload_id"], sessions.removeValue(forKey: id) != nil else {
      return Self.gone
    }
    return GoogleFakeAnswer(499)
  }

  /// Why a chunk cannot be taken.
  func refusalOfChunk(_ request: GoogleFakeRequest) -> GoogleFakeAnswer? {
    guard let session = session(request) else { return Self.gone }
    guard let length = request.fields["content-length"].flatMap({ Int($0) }) else {
      return .plain(411, "Length Required")
    }
    guard let range = request.fields["content-range"].flatMap({ ContentRange($0) }) else {
      return .plain(400, "Failed to parse Content-Range header.")
    }
    if session.finished != nil { return nil }
    if let size = session.size, let total = range.total, total != size {
      return .plain(400, "Invalid request.  The total size changed from \(size) to \(total).")
    }
    guard let bytes = range.bytes else { return nil }
    guard length == bytes.count else {
      return .plain(
        400,
        "Invalid request.  There were \(length) byte(s) in the request body.  "
          + "There should have been \(bytes.count) byte(s) (starting at offset "
          + "\(bytes.lowerBound) and ending at offset \(bytes.upperBound)) according to the "
          + "Content-Range header.")
    }
    if bytes.lowerBound > session.stored {
      return .plain(
        503,
        "Invalid request.  According to the Content-Range header, the upload offset is "
          + "\(bytes.lowerBound) byte(s), which exceeds already uploaded size of "
          + "\(session.stored) byte(s).")
    }
    return nil
  }

  /// Notes what of a chunk has come; what is not the end is kept in whole units.
  mutating func keep(_ count: Int, of request: GoogleFakeRequest) {
    guard let id = request.query["upload_id"], var session = sessions[id],
      let range = request.fields["content-range"].flatMap({ ContentRange($0) }),
      let bytes = range.bytes
    else { return }
    session.size = session.size ?? range.total
    var stored = bytes.lowerBound + count
    if stored != session.size { stored -= stored % GoogleFake.unit }
    session.stored = max(session.stored, stored)
    sessions[id] = session
  }

  /// What a session answers now: the object if all is there, else how far it is.
  mutating func progress(of request: GoogleFakeRequest) -> GoogleFakeAnswer {
    guard let id = request.query["upload_id"], var session = session(request) else {
      return Self.gone
    }
    if let object = session.finished {
      return Self.resource(object, name: session.name, bucket: bucket)
    }
    let total = request.fields["content-range"].flatMap { ContentRange($0) }?.total
    if session.stored == session.size ?? total {
      let (answer, object) = finish(
        session.blob, as: session.name, session.metadata, isPublic: session.isPublic)
      sessions[id] = nil
      session.finished = object
      if object != nil { finished[id] = session }
      return answer
    }
    return GoogleFakeAnswer(
      308, session.stored == 0 ? [:] : ["Range": "bytes=0-\(session.stored - 1)"])
  }
}
