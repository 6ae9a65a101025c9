/// The hosts of a bucket, by region.
struct S3Address: Sendable {
  private static let longestLifetime: Duration = .seconds(604_800)

  let bucket: String
  /// Nil for AWS.
  let custom: S3Endpoint?
  let isInHost: Bool
  private let usesFIPS: Bool
  private let usesDualStack: Bool
  private let publicBase: S3Endpoint?

  /// - Throws: ``BucketError`` `invalidRequest` that names the setting at fault.
  init(_ settings: S3Settings) throws(BucketError) {
    bucket = settings.bucket
    usesFIPS = settings.usesFIPS
    usesDualStack = settings.usesDualStack
    guard Self.isName(bucket) else {
      throw BucketError(
        .invalidRequest,
        "STORAGE_BUCKET: \"\(bucket)\" is not the name of a bucket: letters, digits, '.', '-' and "
          + "'_' are allowed, up to 255 of them")
    }
    guard Self.isRegion(settings.region) else {
      throw BucketError(
        .invalidRequest, "AWS_REGION: \"\(settings.region)\" is not a region such as us-east-1")
    }
    guard (.seconds(1)...Self.longestLifetime).contains(settings.urls.lifetime) else {
      throw BucketError(
        .invalidRequest,
        "STORAGE_URL_EXPIRES: \(settings.urls.lifetime) is not within 1 second and 7 days")
    }
    custom = try settings.endpoint.map { text throws(BucketError) in
      try S3Endpoint(text, setting: "AWS_ENDPOINT_URL_S3")
    }
    publicBase = try settings.urls.baseURL.map { text throws(BucketError) in
      try S3Endpoint(text, setting: "STORAGE_PUBLIC_BASE_URL")
    }
    isInHost =
      switch settings.addressing {
      case .path: false
      case .virtual: true
      // The certificates of AWS have no room for another dot.
      case .auto: custom == nil && Self.isHostLabel(bucket)
      }
  }

  /// Where requests go.
  ///
  /// - Parameter service: a host of AWS in place of the region's own, see ``service(at:)``.
  func endpoint(region: String, service: String? = nil) -> S3Endpoint {
    let service =
      custom ?? S3Endpoint(scheme: "https", host: service ?? host(region), prefix: "")
    return isInHost ? service.virtual(bucket) : service.byPath(bucket)
  }

  /// What result URLs are made of. AWS's own are by path, as they always were.
  func publicEndpoint(region: String) -> S3Endpoint {
    if let publicBase { return publicBase }
    if custom != nil { return endpoint(region: region) }
    let host =
      region == "us-east-1" ? "s3.amazonaws.com" : "s3.\(region).\(Self.domain(of: region))"
    return S3Endpoint(scheme: "https", host: host, prefix: "").byPath(bucket)
  }

  /// What ``publicEndpoint(region:)`` is for signed URLs: AWS wants their region in the host.
  func presigningEndpoint(region: String) -> S3Endpoint {
    if let publicBase { return publicBase }
    if custom != nil { return endpoint(region: region) }
    return S3Endpoint(scheme: "https", host: host(region), prefix: "").byPath(bucket)
  }

  /// The host of the service that a redirect leads to, without the bucket that may stand before it.
  /// Nil for hosts that are not S3's: others below the same domain are customers'.
  func service(at host: String) -> String? {
    let host = host.hasPrefix("\(bucket).s3") ? String(host.dropFirst(bucket.count + 1)) : host
    let domains = [".amazonaws.com", ".amazonaws.com.cn"]
    guard let domain = domains.first(where: host.hasSuffix) else { return nil }
    var labels = host.dropLast(domain.count).split(separator: ".")
    guard let name = labels.first, name == "s3" || name.hasPrefix("s3-") else { return nil }
    labels.removeAll { $0 == "dualstack" }
    return labels.count <= 2 ? host : nil
  }

  private func host(_ region: String) -> String {
    let service = usesFIPS ? "s3-fips" : "s3"
    let stack = usesDualStack ? ".dualstack" : ""
    return "\(service)\(stack).\(region).\(Self.domain(of: region))"
  }

  private static func domain(of region: String) -> String {
    region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
  }

  /// Also of what servers say: a region becomes part of a host's name.
  static func isRegion(_ text: String) -> Bool {
    (1...40).contains(text.utf8.count) && text.utf8.allSatisfy(isLabelByte)
  }

  private static func isName(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text != "." && text != ".."
      && text.utf8.allSatisfy {
        isLabelByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
          || (0x41...0x5a).contains($0)
      }
  }

  private static func isHostLabel(_ text: String) -> Bool {
    (3...63).contains(text.utf8.count) && text.utf8.allSatisfy(isLabelByte)
      && !text.hasPrefix("-") && !text.hasSuffix("-")
  }

  private static func isLabelByte(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
  }
}
