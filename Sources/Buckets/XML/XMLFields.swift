/// The texts in an XML document by the names of their elements.
///
/// That is all there is to the answers of S3 and STS: no name in them means two things, and servers
/// differ in namespaces and in what the elements stand in.
struct XMLFields: Sendable {
  /// The local name of the outermost element: `Error`, `InitiateMultipartUploadResult`.
  let root: String
  private let texts: [String: String]

  /// - Throws: ``XMLError``, whose text has nothing of the document.
  init(_ document: [UInt8]) throws(XMLError) {
    var reader = try XMLReader(document)
    var names: [String] = []
    var root = ""
    var texts: [String: String] = [:]
    // The text of the innermost element; nil once it had another one in it.
    var text: String?
    while let event = try reader.next() {
      switch event {
      case .start(let name):
        if names.isEmpty { root = name }
        names.append(name)
        text = ""
      case .text(let part):
        text?.append(part)
      case .end:
        let name = names.removeLast()
        if let text, texts[name] == nil { texts[name] = text }
        text = nil
      }
    }
    self.root = root
    self.texts = texts
  }

  /// The text of the first element with this local name that has no elements in it; empty for an
  /// empty one, nil if there is none.
  subscript(name: String) -> String? { texts[name] }
}
