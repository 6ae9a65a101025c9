import FoundationEssentials
import Glibc
import Settings

/// What the process was started with.
public enum ProcessEnvironment {
  public static var variables: [String: String] { ProcessInfo.processInfo.environment }

  /// The command line without the program's name.
  public static var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }

  /// What this program is called: the last part of the path it was started by.
  public static var programName: String {
    let path = CommandLine.arguments.first ?? ""
    return path.split(separator: "/").last.map(String.init) ?? "consumer"
  }

  /// What this process calls itself where `HOSTNAME` is not set: unique on this host.
  public static var defaultWorkerName: String {
    var buffer: [CChar] = Array(repeating: 0, count: 256)
    let name =
      gethostname(&buffer, buffer.count - 1) == 0
      ? String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      : "worker"
    return "\(name)-\(getpid())"
  }

  /// The bucket of a first try: `kiosk/bucket` in the user's data folder.
  static var defaultBucketFolder: String {
    let environment = variables
    let data =
      environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? (environment["HOME"] ?? "/tmp") + "/.local/share"
    return data + "/kiosk/bucket"
  }
}
