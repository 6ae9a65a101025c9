extension S3Server {
  /// Settings that make the built programs use this server's bucket.
  ///
  /// - Parameter proxy: the endpoint to ask instead of the server's.
  public func settings(through proxy: String? = nil) -> [String: String] {
    [
      "STORAGE_BUCKET": "s3://\(bucket)", "AWS_ENDPOINT_URL_S3": proxy ?? endpoint,
      "AWS_REGION": region, "AWS_ACCESS_KEY_ID": accessKeyID,
      "AWS_SECRET_ACCESS_KEY": secretAccessKey,
      // Not those of whoever runs the tests.
      "AWS_SHARED_CREDENTIALS_FILE": "", "AWS_CONFIG_FILE": "", "AWS_PROFILE": "",
      "AWS_SESSION_TOKEN": "",
    ]
  }
}
