import ArgumentParser

/// How a command tells what it does.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object per line on standard output.")
  var json = false

  @Flag(help: "Use no colour (also when NO_COLOR is set).")
  var noColor = false

  @Flag(name: .shortAndLong, help: "Show no progress; errors and results only.")
  var quiet = false

  @Flag(
    name: .shortAndLong, help: "Tell more: requests to Redis and the bucket, whole error texts.")
  var verbose = false
}
