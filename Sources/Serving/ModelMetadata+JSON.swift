#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The form in which the Python service keeps metadata in Redis: the signature's inputs as
/// protobuf's JSON mapping writes them, dumped by Python's `json`.
extension ModelMetadata {
  /// Reads the cached form; nil if it is none.
  init?(json: String) {
    guard
      let entries = try? JSONDecoder().decode([String: CachedTensor].self, from: Data(json.utf8)),
      !entries.isEmpty
    else { return nil }
    self.init(inputs: entries.mapValues(\.tensor))
  }

  /// The cached form of the inputs, sorted by name.
  var json: String {
    JSONText.object(inputs.sorted { $0.key < $1.key }.map { ($0.key, Self.json($0.value)) })
  }

  private static func json(_ tensor: Tensor) -> String {
    var fields: [(String, String)] = []
    // Empty strings, zeros and empty lists are left out, as the mapping says.
    if !tensor.graphName.isEmpty { fields.append(("name", JSONText.string(tensor.graphName))) }
    let type = tensor.type
    if type.rawValue != 0 {
      let isNamed = type.description.hasPrefix("DT_")
      fields.append(("dtype", isNamed ? JSONText.string(type.description) : type.description))
    }
    var shape: [(String, String)] = []
    if let extents = tensor.shape {
      let dimensions = extents.map { extent in
        JSONText.object(extent == 0 ? [] : [("size", JSONText.string(String(extent)))])
      }
      if !dimensions.isEmpty {
        shape.append(("dim", "[" + dimensions.joined(separator: ", ") + "]"))
      }
    } else {
      shape.append(("unknownRank", "true"))
    }
    fields.append(("tensorShape", JSONText.object(shape)))
    return JSONText.object(fields)
  }
}

/// JSON as Python's `json.dumps` spaces and escapes it.
private enum JSONText {
  static func object(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\(string($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
  }

  static func string(_ text: String) -> String {
    var out = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: out += "\\\""
      case 0x5c: out += "\\\\"
      case 0x0a: out += "\\n"
      case 0x0d: out += "\\r"
      case 0x09: out += "\\t"
      case 0x08: out += "\\b"
      case 0x0c: out += "\\f"
      case 0x20..<0x7f: out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return out + "\""
  }
}

private struct CachedTensor: Decodable {
  struct Shape: Decodable {
    struct Dimension: Decodable {
      var size: Number?
    }
    var dim: [Dimension]?
    var unknownRank: Bool?
  }

  /// A 64-bit integer: text in protobuf's mapping, but a number is understood as well.
  struct Number: Decodable {
    let value: Int

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Int.self) {
        self.value = value
      } else if let value = Int(try container.decode(String.self)) {
        self.value = value
      } else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no integer")
      }
    }
  }

  /// The name of a type, or the number of one that has none.
  struct TypeName: Decodable {
    let type: TensorType

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int32.self) {
        type = TensorType(rawValue: number)
      } else if let type = TensorType(name: try container.decode(String.self)) {
        self.type = type
      } else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no type")
      }
    }
  }

  var name: String?
  var dtype: TypeName?
  var tensorShape: Shape?

  var tensor: ModelMetadata.Tensor {
    let extents = (tensorShape?.dim ?? []).map { $0.size?.value ?? 0 }
    let isUnknown = tensorShape == nil || tensorShape?.unknownRank == true
    return ModelMetadata.Tensor(
      graphName: name ?? "", type: dtype?.type ?? TensorType(rawValue: 0),
      shape: isUnknown ? nil : extents)
  }
}
