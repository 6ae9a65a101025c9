/// A file that could not be read or written.
///
/// The description is one sentence for the person who sent the file: which file, what is wrong with
/// it, and what to do. It holds the name the caller passed for display, never a path.
public struct ImageFileError: Error, CustomStringConvertible, Equatable {
  public enum Code: String, Sendable {
    /// The file cannot be opened or read from disk.
    case unreadable
    /// The content is none of the known formats.
    case unknownFormat
    /// A known format with a feature that is not supported.
    case unsupported
    /// The content contradicts itself or ends early.
    case damaged
    /// A limit of ``DecodingLimits`` or ``ArchiveLimits`` is exceeded.
    case tooLarge
    /// An archive's member that must not be unpacked.
    case unsafeMember
    /// A name that cannot be a file in the given folder.
    case invalidName
    /// An array that the format cannot hold.
    case unsupportedArray
    /// The file cannot be written.
    case notWritten
    /// The task that read the file was cancelled.
    case cancelled
  }

  public let code: Code
  /// The file as the caller calls it.
  public let file: String
  /// What is wrong, as the rest of a sentence that starts with the file's name.
  public let reason: String
  /// The next step, when we know one.
  public let advice: String?

  public init(_ code: Code, file: String, _ reason: String, advice: String? = nil) {
    self.code = code
    self.file = file
    self.reason = reason
    self.advice = advice
  }

  public var description: String {
    let sentence = "\(file.forDisplay) \(reason)"
    return advice.map { "\(sentence); \($0)" } ?? sentence
  }
}

extension String {
  /// The text on one line: control characters replaced, and the middle left out when very long.
  var forDisplay: String {
    let clean = String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    return clean.count <= 200 ? clean : "\(clean.prefix(120))…\(clean.suffix(60))"
  }
}

extension Int {
  /// A number of bytes in the unit people use: `2.1 GB`.
  var asByteCount: String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var value = Double(self)
    var unit = 0
    while value >= 1000, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    if unit == 0 { return self == 1 ? "1 byte" : "\(self) bytes" }
    let tenths = Int((value * 10).rounded())
    return tenths >= 100 || tenths % 10 == 0
      ? "\(Int(value.rounded())) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
