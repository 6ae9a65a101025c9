/// Buckets, and how the services in front of them are reached.
///
/// Names that begin with `AWS_` and `GOOGLE_` are those of the providers' own programs.
extension SettingsTable {
  public static let storage = [
    Setting(
      "STORAGE_BUCKET", .text,
      "Where inputs and results are: file://FOLDER, s3://NAME or gs://NAME. "
        + "Default: a folder in the user's data folder."),
    Setting(
      "STORAGE_OUTPUT_URL", .choice(["public", "presigned", "uri"]), default: "public",
      "Form of output_url: public for buckets or gateways that anyone can read, presigned for URLs "
        + "that open without credentials for a time, uri for s3://, gs:// or file://."),
    Setting(
      "STORAGE_PUBLIC_BASE_URL", .text,
      "What result URLs begin with, where a gateway serves the bucket."),
    Setting(
      "STORAGE_URL_EXPIRES", .integer(1...604_800), default: "86400",
      "Seconds that a presigned URL opens."),
    Setting(
      "STORAGE_MAX_INPUT_MIB", count, default: "16384", "Largest input file, in MiB."),
    Setting(
      "STORAGE_FILE_FSYNC", .boolean, default: "true",
      "Whether a folder bucket waits until the disk has a result."),
    Setting(
      "STORAGE_MAX_BACKOFF", seconds, default: "60",
      "Longest pause between two tries of a request, in seconds."),
    Setting(
      "STORAGE_RETRY_DEADLINE", seconds, default: "600",
      "Seconds after which a request that keeps failing is given up; 0 for never."),
    Setting(
      "STORAGE_CONNECT_TIMEOUT", .number(0.1...3600), default: "10",
      "Seconds until a connection must be made."),
    Setting(
      "STORAGE_STALL_TIMEOUT", .number(1...3600), default: "60",
      "Seconds without a byte after which a transfer is begun anew."),
    Setting(
      "STORAGE_PART_MIB", .integer(5...5120), default: "16",
      "Part of a file that is moved in parts, in MiB."),
    Setting(
      "STORAGE_CONCURRENCY", .integer(1...64), default: "4",
      "Parts of one file under way at a time."),
    Setting(
      "STORAGE_MULTIPART_MIB", .integer(5...5120), default: "64",
      "Files larger than this are moved in parts, in MiB."),
    Setting(
      "STORAGE_CA_BUNDLE", .text,
      "Certificates (PEM) to trust besides the system's; AWS_CA_BUNDLE or SSL_CERT_FILE without it."
    ),
    Setting(
      "UPLOAD_URL", .text,
      "Where results of jobs without an upload_url are sent by HTTP, in place of the bucket; its host "
        + "must be in STORAGE_UPLOAD_HOSTS.",
      isSecret: true),
    Setting(
      "STORAGE_UPLOAD_HOSTS", .text,
      "Hosts that jobs may have their results sent to (upload_url), comma-separated: host, *.suffix, "
        + "host:port, http://host. None without it."),
    Setting(
      "STORAGE_UPLOAD_CONTENT_TYPE", .boolean, default: "true",
      "Whether uploads to presigned URLs of jobs carry a Content-Type."),
  ]

  public static let s3 = [
    Setting(
      "STORAGE_S3_ADDRESSING", .choice(["auto", "path", "virtual"]), default: "auto",
      "Whether the bucket's name is part of the path or of the host; auto: of the host at AWS."),
    Setting(
      "STORAGE_S3_CHECKSUM",
      .choice(["md5", "crc32", "crc32c", "sha256", "crc64nvme", "none"]), default: "md5",
      "What lets the store check an upload."),
    Setting(
      "AWS_REGION", .text,
      "Region of the bucket. Default: AWS_DEFAULT_REGION, the profile's, us-east-1."),
    Setting("AWS_DEFAULT_REGION", .text, "Region, where AWS_REGION is not set."),
    Setting(
      "AWS_ENDPOINT_URL_S3", .text, "Base URL of a store that is not AWS but speaks its protocol."),
    Setting("AWS_ENDPOINT_URL", .text, "The same, where AWS_ENDPOINT_URL_S3 is not set."),
    Setting("AWS_ENDPOINT_URL_STS", .text, "Base URL of the token service."),
    Setting(
      "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", .boolean, default: "false",
      "Whether endpoints of environment and profile are passed over."),
    Setting(
      "AWS_USE_FIPS_ENDPOINT", .boolean, default: "false", "Whether to use AWS's FIPS endpoints."),
    Setting(
      "AWS_USE_DUALSTACK_ENDPOINT", .boolean, default: "false",
      "Whether to use AWS's endpoints with IPv6."),
    Setting(
      "AWS_ACCESS_KEY_ID", .text,
      "Access key; specify_me, NA and invalid_value, which charts fill in, count as unset.",
      isSecret: true),
    Setting("AWS_SECRET_ACCESS_KEY", .text, "Its secret.", isSecret: true),
    Setting("AWS_SESSION_TOKEN", .text, "Its session token, if it is temporary.", isSecret: true),
    Setting(
      "AWS_WEB_IDENTITY_TOKEN_FILE", .text,
      "File with a token to exchange for the credential of AWS_ROLE_ARN."),
    Setting("AWS_ROLE_ARN", .text, "Role to take on with that token."),
    Setting("AWS_ROLE_SESSION_NAME", .text, "What the role's session is called."),
    Setting("AWS_PROFILE", .text, "Profile of the shared files. Default: default."),
    Setting(
      "AWS_SHARED_CREDENTIALS_FILE", .text, "Shared credentials. Default: ~/.aws/credentials."),
    Setting("AWS_CONFIG_FILE", .text, "Shared configuration. Default: ~/.aws/config."),
    Setting(
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", .text,
      "Path of the credential at a container's agent."),
    Setting(
      "AWS_CONTAINER_CREDENTIALS_FULL_URI", .text, "URL of the credential at a container's agent."),
    Setting(
      "AWS_CONTAINER_AUTHORIZATION_TOKEN", .text, "What that agent wants to see.", isSecret: true),
    Setting(
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", .text, "File with what that agent wants to see."),
    Setting(
      "AWS_EC2_METADATA_DISABLED", .boolean, default: "false",
      "Whether the machine's own role is left alone."),
    Setting(
      "AWS_EC2_METADATA_SERVICE_ENDPOINT", .text, "Base URL of the machine's metadata service."),
    Setting(
      "AWS_NO_SIGN_REQUEST", .boolean, default: "false",
      "Whether requests go without a credential where there is none."),
    Setting(
      "AWS_CA_BUNDLE", .text, "Certificates (PEM) to trust, where STORAGE_CA_BUNDLE is not set."),
  ]

  public static let google = [
    Setting(
      "STORAGE_PUBLIC_ACL", .choice(["auto", "always", "never"]), default: "auto",
      "Whether results in a bucket of Google's get the public ACL; auto: where the bucket allows it."
    ),
    Setting(
      "STORAGE_EMULATOR_HOST", .text,
      "host:port or URL of an emulator of Google Cloud Storage, which gets no credentials."),
    Setting(
      "STORAGE_GCS_ANONYMOUS", .boolean, default: "false",
      "Whether requests to Google go without a credential."),
    Setting(
      "GOOGLE_APPLICATION_CREDENTIALS", .text,
      "File with a service account's key or a user's credential. "
        + "Default: gcloud's file, then the metadata server."),
    Setting(
      "GOOGLE_CLOUD_QUOTA_PROJECT", .text, "Project that requests are counted and billed to."),
    Setting("CLOUDSDK_CONFIG", .text, "gcloud's folder. Default: ~/.config/gcloud."),
    Setting("GCE_METADATA_HOST", .text, "Host of Google's metadata server."),
    Setting(
      "SSL_CERT_FILE", .text,
      "Certificates (PEM) to trust, where neither STORAGE_CA_BUNDLE nor AWS_CA_BUNDLE is set."),
  ]
}
