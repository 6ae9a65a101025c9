import Serving
import Settings

extension ServingConfiguration {
  /// How the model server is reached and treated, as the settings say.
  public init(from values: SettingValues) {
    self.init()
    host = values.text("TF_HOST") ?? host
    port = values.integer("TF_PORT")
    timeout = values.duration("GRPC_TIMEOUT")
    backoff = values.duration("GRPC_BACKOFF")
    maximumRetries = values.integer("MAX_RETRY")
    waitTimeout = values.limit("TF_WAIT_TIMEOUT")
    maximumInFlight = values.integer("TF_MAX_IN_FLIGHT")
    connections = values.integer("TF_CONNECTIONS")
    connectionMaximumAge = values.limit("TF_CONNECTION_MAX_AGE")
    keepaliveTime = values.limit("GRPC_KEEPALIVE_TIME")
    compressesRequests = values.text("GRPC_COMPRESSION")?.lowercased() == "gzip"
    metadataExpiry = values.duration("METADATA_EXPIRE_TIME")
  }
}
