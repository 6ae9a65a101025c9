import JobQueue

/// What the hash of an archive's job says of its children at the end.
struct ChildSums {
  /// In the order of the archive.
  private let children: [ChildResult]
  /// Why there is no result, by keys.
  private let failures: [String: String]

  /// Those of each child that has a result, with commas between.
  private static let lists = [
    Field.predictionTime, Field.postprocessTime, Field.uploadTime, Field.downloadTime,
    Field.totalTime, Field.predictRetries,
  ]

  /// What is to be read of the children's hashes.
  static let fields = lists

  /// Characters of one reason; the end is kept, which says it in a sentence.
  private static let longestReason = 4000

  init(_ children: [ChildResult], failures: [String: String]) {
    self.children = children
    self.failures = failures
  }

  var fields: [String: String] {
    let done = children.filter { failures[$0.key] == nil }
    var fields = [
      Field.totalJobs: String(children.count),
      Field.childrenDone: done.map(\.key).joined(separator: ","),
      Field.childrenFailed: children.map(\.key).filter { failures[$0] != nil }
        .joined(separator: ","),
      Field.failures: form,
    ]
    for name in Self.lists {
      fields[name] = done.compactMap { $0[name] }.joined(separator: ",")
    }
    return fields
  }

  /// `application/x-www-form-urlencoded`, in the order of the archive.
  private var form: String {
    children.compactMap { child in
      failures[child.key].map {
        "\(child.key.formEncoded)=\(String($0.suffix(Self.longestReason)).formEncoded)"
      }
    }.joined(separator: "&")
  }
}

extension String {
  /// As a name or a value of a form: a space is `+`.
  fileprivate var formEncoded: String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
