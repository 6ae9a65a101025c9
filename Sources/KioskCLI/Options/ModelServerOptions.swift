import ArgumentParser

/// Where the model server is, when not taken from the environment.
struct ModelServerOptions: ParsableArguments {
  @Option(
    name: .customLong("tf-host"),
    help: ArgumentHelp("Host of TensorFlow Serving (TF_HOST).", valueName: "host"))
  var host: String?

  @Option(
    name: .customLong("tf-port"),
    help: ArgumentHelp("gRPC port of TensorFlow Serving (TF_PORT).", valueName: "port"))
  var port: String?

  /// By name of the setting.
  var settings: [String: String] {
    ["TF_HOST": host, "TF_PORT": port].compactMapValues { $0 }
  }
}
