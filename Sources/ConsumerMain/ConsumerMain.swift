import CLinux
import Consumers
import Glibc
import ServiceSetup
import Settings

/// The program of a consumer: reads settings, connects, works, stops when it is told to.
///
/// The whole of `consume-redis-events` is `await ConsumerMain.run()`; a program with consumers of
/// its own adds them to the built-in ones:
/// ```swift
/// await ConsumerMain.run(consumers.merging(["nuclei": NucleiConsumer.self]) { $1 })
/// ```
public enum ConsumerMain {
  /// EX_CONFIG of `sysexits.h`.
  static let wrongSettings: Int32 = 78

  /// Runs until SIGTERM or SIGINT and ends the process: with 0 after a clean stop, 78 when settings
  /// cannot be used, 1 on any other fatal error.
  ///
  /// - Parameter registry: consumer classes by the names that `CONSUMER_TYPE` may have.
  public static func run(_ registry: [String: Consumer.Type] = consumers) async -> Never {
    limitHeap()
    // Where the size of files is limited, one that grows too large is an error like a full disk's.
    signal(SIGXFSZ, SIG_IGN)
    let arguments = SettingValues.parse(ProcessEnvironment.arguments)
    if arguments.others.contains("--help") || arguments.others.contains("-h") {
      print(help(registry))
      exit(0)
    }
    if arguments.others.contains("--version") {
      print("\(ProcessEnvironment.programName): redis-consumer \(Version.description)")
      exit(0)
    }
    var values = SettingValues(
      flags: arguments.settings, environment: ProcessEnvironment.variables)
    let configuration = ConsumerConfiguration(from: &values, registry: registry)
    var problems = arguments.problems + values.problems
    // A misspelt one may have a secret for its value.
    problems += arguments.others.filter { $0 != "--check-config" }.map {
      "\($0.prefix { $0 != "=" }): unknown option; --help lists all"
    }
    guard problems.isEmpty, let configuration else {
      for problem in problems { printError(problem) }
      exit(wrongSettings)
    }
    if arguments.others.contains("--check-config") {
      // A folder would be made.
      if case .folder = configuration.bucket {
      } else {
        do { _ = try values.openBucket(at: configuration.bucket) } catch {
          printError("\(error)")
          exit(wrongSettings)
        }
      }
      print(values.listing.joined(separator: "\n"))
      exit(0)
    }
    let log = values.makeLogOutput()
    let code = await Daemon(configuration, values) {
      // Nothing else: whatever hangs must not hold up the end too.
      log.flush()
      _exit(1)
    }.run()
    log.flush()
    exit(code)
  }

  /// Keeps the heap of a process that lives for months small: few arenas, and what is large enough for
  /// a mapping of its own gets one, so that it goes back to the system when a job is over. The
  /// threshold would otherwise rise to 32 MiB with the first large block that is freed.
  private static func limitHeap() {
    mallopt(M_ARENA_MAX, 2)
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    mallopt(M_TRIM_THRESHOLD, 1 << 20)
  }

  private static func help(_ registry: [String: Consumer.Type]) -> String {
    """
    Takes jobs from a queue in Redis, runs their images through a model of TensorFlow Serving and
    writes the results to a bucket.

    usage: \(ProcessEnvironment.programName) [--version | --help | --check-config] [settings]

      --check-config
          Prints every setting in force, or what is wrong with them (exit code 78).

    Each setting is an environment variable and a flag; the flag wins. Consumer types:
    \(registry.keys.sorted().joined(separator: ", ")).

    \(SettingsTable.helpText)
    """
  }

  private static func printError(_ line: String) {
    let text = line + "\n"
    _ = text.withCString { write(STDERR_FILENO, $0, text.utf8.count) }
  }
}
