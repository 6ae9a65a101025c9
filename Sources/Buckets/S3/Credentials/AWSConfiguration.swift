/// What the settings and the profile say about AWS together, but for credentials.
package struct AWSConfiguration: Sendable, Hashable {
  /// `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or `us-east-1`.
  package let region: String
  /// Of an S3-compatible server: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, the profile's; nil: AWS.
  package let endpointURL: String?

  /// - Throws: ``BucketError``: `credentials` as ``AWSProfile``, `invalidRequest` when the region is
  ///   none.
  package init(_ settings: AWSSettings) throws(BucketError) {
    let profile = try AWSProfile(settings)
    region = settings.region ?? profile.region ?? "us-east-1"
    endpointURL =
      settings.ignoresEndpointURLs ? nil : settings.endpointURL ?? profile.endpointURL
    guard S3Address.isRegion(region) else {
      throw BucketError(
        .invalidRequest,
        "\(region.debugDescription) is not a region; check AWS_REGION, AWS_DEFAULT_REGION and "
          + "\(profile.origin)")
    }
  }

  /// STS of AWS itself.
  func stsURL(_ settings: AWSSettings) -> String {
    let isChina = region.hasPrefix("cn-")
    let name = settings.usesFIPSEndpoints ? "sts-fips" : "sts"
    let domain =
      settings.usesDualStackEndpoints
      ? (isChina ? "api.amazonwebservices.com.cn" : "api.aws")
      : (isChina ? "amazonaws.com.cn" : "amazonaws.com")
    return "https://\(name).\(region).\(domain)/"
  }
}
