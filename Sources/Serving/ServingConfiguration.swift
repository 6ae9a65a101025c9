/// Where the model server is and how it is treated. Defaults are those of the settings named.
public struct ServingConfiguration: Sendable {
  /// `TF_HOST`: a name or address.
  public var host = "tf-serving"
  /// `TF_PORT`.
  public var port = 8500
  /// `GRPC_TIMEOUT`: the deadline of a call. A retry after a missed one has twice as long, up to four
  /// times.
  public var timeout = Duration.seconds(30)
  /// `GRPC_BACKOFF`: the first pause after a missed deadline or an overload.
  public var backoff = Duration.seconds(3)
  /// `MAX_RETRY`: retries of one call after missed deadlines and overloads.
  public var maximumRetries = 5
  /// `TF_WAIT_TIMEOUT`: how long to wait for a server that is away; nil: without limit.
  public var waitTimeout: Duration?
  /// `TF_MAX_IN_FLIGHT`: predict calls at once.
  public var maximumInFlight = 4
  /// `TF_CONNECTIONS`.
  public var connections = 2
  /// `TF_CONNECTION_MAX_AGE`: when a connection is replaced, give or take a fifth; nil: never.
  public var connectionMaximumAge: Duration? = .seconds(120)
  /// `GRPC_KEEPALIVE_TIME`: silence on an active connection before a ping; nil: no pings.
  public var keepaliveTime: Duration? = .seconds(20)
  /// How long the answer to a ping may take before the connection counts as lost.
  public var keepaliveTimeout = Duration.seconds(10)
  /// `GRPC_COMPRESSION` is `gzip`.
  public var compressesRequests = false
  /// `METADATA_EXPIRE_TIME`: how long a model's metadata is remembered.
  public var metadataExpiry = Duration.seconds(30)
  /// Batches are split so that a request stays below.
  public var maximumRequestBytes = 256 << 20
  /// Memory the wanted outputs of one reply may take; checked before it is taken.
  public var maximumReplyBytes = 1 << 30

  public init() {}

  /// Host and port as gRPC takes them.
  var target: String {
    host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
