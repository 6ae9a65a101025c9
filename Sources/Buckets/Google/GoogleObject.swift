/// What the store says of an object that was uploaded.
struct GoogleObject: Decodable {
  /// For the parameter `fields`.
  static let fields = "size,crc32c,generation"

  /// Numbers in quotes, as JSON cannot hold all of them; emulators leave out some.
  var size: String?
  var crc32c: String?
  var generation: String?

  /// Nil for what is no description of an object.
  init?(_ body: [UInt8]) {
    guard let object = try? GoogleJSON.decode(Self.self, body) else { return nil }
    self = object
  }

  /// Whether it is what was sent, as far as it tells.
  func matches(_ file: UploadFile) -> Bool {
    (size.map { $0 == "\(file.size)" } ?? true)
      && (crc32c.map { $0 == file.checksum.base64 } ?? true)
  }
}
