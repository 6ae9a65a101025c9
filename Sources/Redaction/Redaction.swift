extension String {
  /// The text without what opens doors, for logs and messages: queries, fragments and user names of
  /// URLs, the values of fields such as `Authorization` and of parameters such as `X-Amz-Signature`,
  /// also in JSON and XML. `***` stands for what was there.
  ///
  /// It goes by names, and takes rather too much: a secret that stands alone cannot be told from
  /// other text.
  package var redacted: String {
    var text = self
    return text.withUTF8 { bytes -> String? in
      var redactor = Redactor(bytes)
      return redactor.run()
    } ?? self
  }
}

/// Goes through a text once.
private struct Redactor {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0
  private var output: [UInt8] = []
  /// Up to where the text has been taken over or left out.
  private var done = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// - Returns: nil if there is nothing to leave out.
  mutating func run() -> String? {
    while at < bytes.count {
      guard isWord(bytes[at]) else {
        at += 1
        continue
      }
      let start = at
      while at < bytes.count, isWord(bytes[at]) { at += 1 }
      look(at: start..<at)
    }
    guard done > 0 else { return nil }
    output += bytes[done...]
    return String(decoding: output, as: UTF8.self)
  }

  /// Looks at a word, behind which `at` stands.
  private mutating func look(at word: Range<Int>) {
    if let slashes = slashes(at: at) {
      at += slashes
      return url()
    }
    guard SecretNames.lengths.contains(word.count) else { return }
    let name = String(decoding: bytes[word].map(lowercased), as: UTF8.self)
    if SecretNames.fields.contains(name) {
      value(isLine: SecretNames.lines.contains(name))
    } else if SecretNames.schemes.contains(name) {
      credential()
    }
  }

  // MARK: URLs

  /// The length of `://`, also as JSON may have it.
  private func slashes(at index: Int) -> Int? {
    for text in ["://", #":\/\/"#] where starts(with: text, at: index) { return text.utf8.count }
    return nil
  }

  private mutating func url() {
    let start = at
    while at < bytes.count, !endsURL(bytes[at]), !"/?#\\".utf8.contains(bytes[at]) { at += 1 }
    if let sign = bytes[start..<at].lastIndex(of: UInt8(ascii: "@")) {
      leaveOut(start..<sign)
    }
    while at < bytes.count, !endsURL(bytes[at]), !"?#".utf8.contains(bytes[at]) { at += 1 }
    guard at < bytes.count, !endsURL(bytes[at]) else { return }
    let query = at + 1
    while at < bytes.count, !endsURL(bytes[at]) { at += 1 }
    leaveOut(query..<at)
  }

  private func endsURL(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == 0x7f || #""<>`"#.utf8.contains(byte)
  }

  // MARK: Fields

  /// Leaves out what follows the name of a field, if it is one: `name=value`, `name: value`,
  /// `"name" : "value"`, `<name>value</name>`.
  private mutating func value(isLine: Bool) {
    var index = at
    func skip(_ characters: String) {
      while index < bytes.count, characters.utf8.contains(bytes[index]) { index += 1 }
    }
    skip(#"\"'"#)
    skip(" \t")
    guard index < bytes.count, "=:>".utf8.contains(bytes[index]) else { return }
    let separator = bytes[index]
    index += 1
    skip(" \t")
    let quotes = index
    skip(#"\"'"#)
    let start = index
    let isQuoted = start > quotes
    while index < bytes.count {
      let byte = bytes[index]
      if byte == 0x0a || byte == 0x0d { break }
      if isQuoted {
        if #""'"#.utf8.contains(byte) { break }
      } else if separator == UInt8(ascii: ">") {
        if byte == UInt8(ascii: "<") { break }
      } else if !isLine, byte <= 0x20 || #"&,;"'<>)]}\"#.utf8.contains(byte) {
        break
      }
      index += 1
    }
    leaveOut(start..<index)
    at = index
  }

  /// Leaves out what follows the name of a way to log in, if it looks like it: `Bearer abc...`
  private mutating func credential() {
    var start = at
    while start < bytes.count, bytes[start] == 0x20 { start += 1 }
    guard start > at else { return }
    var end = start
    while end < bytes.count, isWord(bytes[end]) || "+/=.~".utf8.contains(bytes[end]) { end += 1 }
    guard end - start >= 16 else { return }
    leaveOut(start..<end)
    at = end
  }

  private mutating func leaveOut(_ range: Range<Int>) {
    let isDone = range.isEmpty || bytes[range].elementsEqual("***".utf8)
    guard !isDone else { return }
    output += bytes[done..<range.lowerBound]
    output += Array("***".utf8)
    done = range.upperBound
  }

  // MARK: Bytes

  private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  private func starts(with text: String, at index: Int) -> Bool {
    bytes[index...].starts(with: text.utf8)
  }
}
