/// One job as its producer described it.
///
/// The key is opaque: file names in it may hold colons, slashes and blanks.
public struct Job: Sendable {
  public let key: String
  /// All fields of the hash when the job was claimed.
  public let fields: [String: String]

  public init(key: String, fields: [String: String]) {
    self.key = key
    self.fields = fields
  }

  /// A field's text; nil if it is absent or empty, which producers use alike.
  public subscript(field: String) -> String? {
    guard let value = fields[field], !value.isEmpty else { return nil }
    return value
  }

  /// What a job made for this one's sake takes over: what the producer asked for, and nothing that
  /// says which file it is or what became of it. Empty ones are left out.
  public var requestFields: [String: String] {
    fields.filter { Self.inherited.contains($0.key) && !$0.value.isEmpty }
  }

  private static let inherited: Set<String> = [
    Field.modelName, Field.modelVersion, Field.preprocessFunction, Field.postprocessFunction,
    Field.cuts, Field.fieldSize, Field.label, Field.dimensionOrder, Field.channels, Field.scale,
    Field.segmentationType, Field.compartment,
  ]

  public var status: JobStatus { JobStatus(rawValue: fields[Field.status] ?? "") }
  /// The key of the input in the bucket, or a URL of it; "" if the producer named none.
  public var inputFileName: String { fields[Field.inputFileName] ?? "" }
  /// The file's name as its owner knows it; that of the input if the producer gave none.
  public var originalName: String { self[Field.originalName] ?? inputFileName }
  /// The order of the image's axes such as `XYB`; nil if it is to be inferred.
  public var dimensionOrder: String? { self[Field.dimensionOrder] }
  /// A comma list: position picks the application, value the channel of the image.
  public var channels: String? { self[Field.channels] }
  /// How much smaller the model's pixels are than the image's; nil if it is to be detected.
  public var scale: String? { self[Field.scale] }
}
