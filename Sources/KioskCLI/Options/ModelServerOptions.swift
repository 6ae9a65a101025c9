import ArgumentParser

/// Where the model server is, when not taken from the environment.
struct ModelServerOptions: ParsableArguments {
  @Option(name: .customLong("tf-host"), help: "Host of TensorFlow Serving (TF_HOST).")
  var host: String?

  @Option(name: .customLong("tf-port"), help: "gRPC port of TensorFlow Serving (TF_PORT).")
  var port: String?

  /// By name of the setting.
  var settings: [String: String] {
    ["TF_HOST": host, "TF_PORT": port].compactMapValues { $0 }
  }
}
