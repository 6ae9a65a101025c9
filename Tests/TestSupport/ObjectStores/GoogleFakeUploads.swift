import Foundation

// Uploads in one request, and the beginning of resumable ones.

extension GoogleFakeState {
  private struct Described: Decodable {
    var name: String?
    var contentType: String?
    var cacheControl: String?
    var crc32c: String?
  }

  mutating func upload(_ request: GoogleFakeRequest, _ body: [UInt8]) -> GoogleFakeAnswer {
    let type = request.fields["content-type"] ?? ""
    guard type.hasPrefix("multipart/related"), let mark = type.firstRange(of: "boundary=") else {
      return .error(400, "badContent", "The content type must be multipart/related")
    }
    let boundary = String(type[mark.upperBound...]).replacing("\"", with: "")
    guard let parts = Self.parts(body, boundary: boundary), parts.count == 2 else {
      return .error(400, "badContent", "Multipart content must have exactly two parts")
    }
    guard parts[0].type.hasPrefix("application/json") else {
      return .error(400, "badContent", "The first part must be JSON")
    }
    guard !parts[1].type.isEmpty else {
      return .error(400, "badContent", "The media has no content type")
    }
    let described: Described
    switch Self.described(parts[0].bytes, request) {
    case .success(let value): described = value
    case .failure(let refusal): return refusal.answer
    }
    guard let blob = try? FakeBlob(parts[1].bytes) else { return .plain(500, "disk") }
    return finish(
      blob, as: described.name ?? "",
      Metadata(
        contentType: described.contentType ?? parts[1].type,
        cacheControl: described.cacheControl, checksum: described.crc32c),
      isPublic: request.query["predefinedAcl"] != nil
    ).answer
  }

  mutating func begin(_ request: GoogleFakeRequest, _ body: [UInt8]) -> GoogleFakeAnswer {
    guard request.fields["content-type"]?.hasPrefix("application/json") == true || body.isEmpty
    else { return .error(400, "badContent", "The metadata must be JSON") }
    let described: Described
    switch Self.described(body.isEmpty ? Array("{}".utf8) : body, request) {
    case .success(let value): described = value
    case .failure(let refusal): return refusal.answer
    }
    guard let blob = try? FakeBlob() else { return .plain(500, "disk") }
    let id = "session-\(UInt64.random(in: .min ... .max))"
    sessions[id] = Session(
      name: described.name ?? "",
      metadata: Metadata(
        contentType: described.contentType ?? request.fields["x-upload-content-type"] ?? "",
        cacheControl: described.cacheControl, checksum: described.crc32c),
      isPublic: request.query["predefinedAcl"] != nil, blob: blob,
      size: request.fields["x-upload-content-length"].flatMap { Int($0) })
    return GoogleFakeAnswer(
      200,
      [
        "Location": "http://\(request.fields["host"] ?? "")/upload/storage/v1/b/\(bucket)/o"
          + "?uploadType=resumable&upload_id=\(id)",
        "x-guploader-uploadid": id,
      ])
  }

  /// Makes an object of what was uploaded if it is what the client says.
  mutating func finish(
    _ blob: FakeBlob, as name: String, _ metadata: Metadata, isPublic: Bool
  ) -> (answer: GoogleFakeAnswer, object: GoogleFake.Object?) {
    let checksum = blob.checksum.base64
    if let expected = metadata.checksum, expected != checksum {
      let message =
        "Provided CRC32C \"\(expected)\" doesn't match calculated CRC32C \"\(checksum)\"."
      return (.error(400, "invalid", message), nil)
    }
    let object = store(blob, as: name, metadata, isPublic: isPublic)
    return (Self.resource(object, name: name, bucket: bucket), object)
  }

  private struct Refusal: Error { let answer: GoogleFakeAnswer }

  private static func described(
    _ json: [UInt8], _ request: GoogleFakeRequest
  ) -> Result<Described, Refusal> {
    guard var described = try? JSONDecoder().decode(Described.self, from: Data(json)) else {
      return .failure(Refusal(answer: .error(400, "parseError", "Parse Error")))
    }
    if let name = request.query["name"] {
      guard described.name == nil || described.name == name else {
        return .failure(
          Refusal(answer: .error(400, "invalid", "The names in query and content do not agree")))
      }
      described.name = name
    }
    guard let name = described.name, !name.isEmpty, name.utf8.count <= 1024 else {
      return .failure(Refusal(answer: .error(400, "required", "Required: the object's name")))
    }
    return .success(described)
  }

  /// The parts of a MIME multipart body; nil when it is none.
  private static func parts(
    _ body: [UInt8], boundary: String
  ) -> [(type: String, bytes: [UInt8])]? {
    guard !boundary.isEmpty, boundary.utf8.count <= 70 else { return nil }
    var parts: [(type: String, bytes: [UInt8])] = []
    let delimiter = Data("\r\n--\(boundary)".utf8)
    let data = Data("\r\n".utf8) + Data(body)
    guard var position = data.firstRange(of: delimiter)?.upperBound else { return nil }
    while true {
      let rest = data[position...]
      if rest.starts(with: Data("--".utf8)) { return parts }
      guard rest.starts(with: Data("\r\n".utf8)), let end = rest.firstRange(of: delimiter),
        let blank = rest.firstRange(of: Data("\r\n\r\n".utf8)), blank.upperBound <= end.lowerBound
      else { return nil }
      let head = String(decoding: rest[position..<blank.lowerBound], as: UTF8.self)
      let line = head.split(separator: "\r\n").first {
        $0.lowercased().hasPrefix("content-type:")
      }
      parts.append(
        (
          line.map { String($0.dropFirst(13).drop { $0 == " " }) } ?? "",
          Array(rest[blank.upperBound..<end.lowerBound])
        ))
      position = end.upperBound
    }
  }
}
