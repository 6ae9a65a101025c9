import Serving

/// One version of a model, as far as the server knows it.
struct ModelRow: Sendable, Equatable {
  static let missing = "missing"

  let model: String
  /// Nil for a model that the server has in no version.
  let version: Int?
  /// In TensorFlow Serving's words, or ``missing``.
  let state: String
  /// Names of the settings that name this version.
  var settings: [String] = []
  /// Why there is nothing more to say; empty otherwise.
  var note = ""
  /// Whether the user asked for what is not there.
  var isFailure = false
  /// Known of versions that are available.
  var metadata: ModelMetadata?

  var jsonLine: JSONLine {
    JSONLine(
      "model",
      [
        "model": .text(model), "version": .integer(version), "state": .text(state),
        "settings": .list(settings.map { .text($0) }), "note": .text(note.isEmpty ? nil : note),
        "inputs": metadata.map { Self.value($0.inputs) },
        "outputs": (metadata?.outputs).map { Self.value($0) },
      ])
  }

  private static func value(_ tensors: [String: ModelMetadata.Tensor]) -> JSONLine.Value {
    .list(
      tensors.sorted { $0.key < $1.key }.map { name, tensor in
        var fields: [String: JSONLine.Value] = [
          "name": .text(name), "type": .text("\(tensor.type)"),
        ]
        fields["shape"] = tensor.shape.map { .list($0.map { .integer($0) }) }
        return .object(fields)
      })
  }

  /// The cells of a table.
  fileprivate var cells: [String] {
    [
      model, version.map(String.init) ?? "-", state,
      metadata.map { Self.text($0.inputs) } ?? (note.isEmpty ? "-" : note),
      settings.joined(separator: ", "),
    ]
  }

  /// `image float32 (?, 256, 256, 1)`, where a question mark is an extent that varies.
  private static func text(_ tensors: [String: ModelMetadata.Tensor]) -> String {
    tensors.sorted { $0.key < $1.key }.map { name, tensor in
      let type = tensor.type.dtype.map { "\($0)" } ?? "\(tensor.type)"
      let extents = tensor.shape?.map { $0 < 0 ? "?" : String($0) }.joined(separator: ", ")
      return "\(name) \(type) (\(extents ?? "of any shape"))"
    }.joined(separator: "; ")
  }
}

extension [ModelRow] {
  var table: Table {
    var table = Table(
      ["MODEL", "VERSION", "STATE", "INPUTS", "SETTING"].map { Table.Column(heading: $0) })
    for row in self { table.add(row.cells) }
    return table
  }
}
