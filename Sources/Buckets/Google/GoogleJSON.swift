import FoundationEssentials

/// JSON as Google's services write it, some with names_like_this and some with namesLikeThis.
enum GoogleJSON {
  static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(bytes))
  }
}
