import CurlClient
import Logging
import Retrying

/// The credential that requests to S3 are signed with, wherever it comes from: the environment, a
/// token of the cluster, the files of AWS's tools, the container or the instance, in this order.
///
/// Temporary credentials are replaced in the background before they end, by one request at a time
/// however many ask. The place is chosen once; it is never changed for another one.
package final class AWSCredentials: S3CredentialSource {
  private let chain: AWSCredentialChain
  private let cache: CredentialCache<AWSCredential?>
  package let warnings: [String]

  /// - Parameters:
  ///   - configuration: whose region STS is asked in.
  ///   - transfers: how connections are made; the services of container and instance are asked
  ///     without proxies.
  package convenience init(
    _ settings: AWSSettings, configuration: AWSConfiguration, transfers: TransferSettings,
    logger: Logger = Logger(label: "S3Storage")
  ) throws(BucketError) {
    self.init(
      settings, configuration: configuration, client: try transfers.makeClient(),
      localClient: try transfers.makeClient(usesProxies: false), logger: logger)
  }

  /// - Parameters:
  ///   - client: asks STS.
  ///   - localClient: asks the services of container and instance.
  ///   - clock: measures pauses between tries.
  ///   - now: seconds since 1970.
  convenience init(
    _ settings: AWSSettings, configuration: AWSConfiguration, client: HTTPClient,
    localClient: HTTPClient, logger: Logger, clock: AnyClock = .continuous,
    now: @escaping @Sendable () -> Int = { WallClock.now() }
  ) {
    self.init(
      AWSCredentialChain(
        Self.links(settings, configuration, client, localClient, clock, now),
        allowsAnonymous: settings.allowsAnonymous),
      warnings: Self.warnings(settings), logger: logger, now: now)
  }

  init(
    _ chain: AWSCredentialChain, warnings: [String] = [], logger: Logger,
    now: @escaping @Sendable () -> Int
  ) {
    self.chain = chain
    self.warnings = warnings
    cache = CredentialCache(logger: logger, now: now) {
      let found = try await chain.find()
      return Expiring(value: found?.credential, expiration: found?.credential.expiration)
    }
  }

  private static func warnings(_ settings: AWSSettings) -> [String] {
    guard !settings.ignoresEndpointURLs,
      let url = settings.stsEndpointURL.flatMap({ try? HTTPURL($0) }),
      url.scheme == "http", !url.isLoopback
    else { return [] }
    return [
      "AWS_ENDPOINT_URL_STS is not https: whoever is on the way can read token and credential."
    ]
  }

  private static func links(
    _ settings: AWSSettings, _ configuration: AWSConfiguration, _ client: HTTPClient,
    _ localClient: HTTPClient, _ clock: AnyClock, _ now: @escaping @Sendable () -> Int
  ) -> [any AWSCredentialLink] {
    let sts = CredentialService(name: "STS", client: client, clock: clock)
    let agent = CredentialService(name: "the container's agent", client: localClient, clock: clock)
    let instance = CredentialService(
      name: "the instance's metadata service", client: localClient, clock: clock)
    let webIdentity = { @Sendable (role: WebIdentityLink.Role?) in
      WebIdentityLink(
        role: role, settings: settings, configuration: configuration, service: sts, now: now)
    }
    return [
      EnvironmentLink(settings: settings),
      webIdentity(nil),
      ProfileLink(settings: settings, webIdentity: webIdentity),
      ContainerLink(settings: settings, service: agent, now: now),
      InstanceLink(settings: settings, service: instance, now: now),
    ]
  }

  /// The credential; nil if requests are to be sent unsigned. Waits only if there is none, and then
  /// about a minute at most: a service has five tries of 10 s, the instance's three of 1 s.
  ///
  /// - Throws: ``BucketError`` `credentials`; `CancellationError`.
  package func current() async throws -> AWSCredential? { try await cache.current() }

  /// What to use after a store refused `refused` as expired: a newer credential, or the same again if
  /// there is none.
  ///
  /// - Throws: as ``current()``.
  package func refresh(insteadOf refused: AWSCredential) async throws -> AWSCredential? {
    try await cache.renew(insteadOf: refused)
  }

  /// Where the credential came from, for the log; known after the first use.
  package var source: String { chain.source }
}
