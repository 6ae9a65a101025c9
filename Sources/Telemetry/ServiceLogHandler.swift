import Glibc
import Logging
import Redaction

/// One event per line: JSON, or the layout of the Python service. Without secrets, whoever logs them.
public struct ServiceLogHandler: LogHandler {
  public enum Format: String, Sendable { case json, text }

  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  private let name: String
  private let format: Format
  private let output: LogOutput

  public init(name: String, level: Logger.Level, format: Format, output: LogOutput) {
    self.name = name
    logLevel = level
    self.format = format
    self.output = output
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    if let given = event.metadata { all.merge(given) { $1 } }
    if let error = event.error { all["error"] = "\(error)" }
    var fields: [(key: String, value: String)] = []
    for key in LogKeys.ordered {
      if let value = all.removeValue(forKey: key) { fields.append((key, "\(value)")) }
    }
    fields += all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    fields = fields.map { key, value in
      // First what is secret, which might not be told from the rest once it is cut.
      let value = value.redacted
      return (key, key == "error" ? String(value.prefix(LogKeys.errorLimit)) : value)
    }
    let message = event.message.description.redacted
    switch format {
    case .json: output.write(jsonLine(event.level, message, fields))
    case .text: output.write(textLine(event.level, message, fields))
    }
  }

  private func jsonLine(
    _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: String)]
  ) -> String {
    var line = #"{"ts":""# + Self.now() + #"","level":""# + Self.name(of: level) + #"","logger":"#
    line.appendJSON(name)
    line += #","msg":"#
    line.appendJSON(message)
    for (key, value) in fields where !value.isEmpty {
      line += ","
      line.appendJSON(key)
      line += ":"
      if LogKeys.numeric.contains(key), Double(value) != nil {
        line += value
      } else {
        line.appendJSON(value)
      }
    }
    return line + "}"
  }

  private func textLine(
    _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: String)]
  ) -> String {
    var line = "[\(Self.name(of: level))]:[\(name)]: "
    line.appendVisible(message)
    for (key, value) in fields where !value.isEmpty {
      line += " \(key)="
      line.appendVisible(value)
    }
    return line
  }

  static func name(of level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "DEBUG"
    case .info, .notice: "INFO"
    case .warning: "WARN"
    case .error: "ERROR"
    case .critical: "CRITICAL"
    }
  }

  /// The level `LOG_LEVEL` names; unknown names mean debug, as in the Python service.
  public static func level(named name: String) -> Logger.Level {
    switch name.uppercased() {
    case "INFO": .info
    case "WARN", "WARNING": .warning
    case "ERROR": .error
    case "CRITICAL": .critical
    default: .debug
    }
  }

  /// RFC 3339, UTC, milliseconds.
  private static func now() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    var buffer: [CChar] = Array(repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let millisecond = String(time.tv_nsec / 1_000_000)
    let text = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    return text + "." + String(repeating: "0", count: 3 - millisecond.count) + millisecond + "Z"
  }
}

extension String {
  /// Appends `text` as a JSON string.
  mutating func appendJSON(_ text: String) {
    append("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": append("\\\"")
      case "\\": append("\\\\")
      default: appendVisible(scalar)
      }
    }
    append("\"")
  }

  /// Appends `text` without what would end a line, or change what a terminal shows of others.
  mutating func appendVisible(_ text: String) {
    // Controls up to U+009F begin with C2 where they are not ASCII.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == 0xc2 }) else {
      return append(text)
    }
    for scalar in text.unicodeScalars { appendVisible(scalar) }
  }

  private mutating func appendVisible(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\n": append("\\n")
    case "\r": append("\\r")
    case "\t": append("\\t")
    case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value):
      let hex = String(scalar.value, radix: 16)
      append("\\u" + String(repeating: "0", count: 4 - hex.count) + hex)
    default: unicodeScalars.append(scalar)
    }
  }
}
