import CurlClient
import FoundationEssentials

/// Where a job's result is sent by HTTP, in place of the bucket: what its `upload_url` says.
package struct UploadTarget: Sendable {
  /// Without user name and fragment; it may hold secrets all the same.
  let url: HTTPURL
  /// Whether the URL is one object with a signature, which allows for nothing more in the request. Else it
  /// is a folder.
  package let isObject: Bool
  /// Made of the URL's user name and password.
  let authorization: Secret?
  private let id: String

  /// Bytes; a file's name, encoded, comes behind it.
  private static let lengthLimit = 7 << 10

  /// Reads a URL and finds out whether results may be sent there, without asking anyone.
  ///
  /// One that has a query, and whose path does not end in `/`, is one object. Any other is a folder.
  /// - Parameters:
  ///   - id: of the job, for the target to tell results by.
  ///   - hosts: that may be named.
  /// - Throws: ``BucketError`` `invalidRequest` that says why not; its text does not repeat the URL.
  package init(_ text: String, id: String, hosts: UploadHosts) throws(BucketError) {
    func refuse(_ why: String) -> BucketError {
      BucketError(.invalidRequest, "upload_url cannot be used: \(why)")
    }
    guard text.utf8.count <= Self.lengthLimit else {
      throw refuse("it is longer than \(Self.lengthLimit) bytes")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else {
      throw refuse("it has characters that no URL has; write them as %XX")
    }
    do throws(HTTPError) {
      let whole = try HTTPURL(text)
      authorization = try whole.userInfo.map { Secret("Basic " + Data($0).base64EncodedString()) }
      isObject = whole.query != nil && !whole.path.hasSuffix("/")
      url = try whole.with(path: whole.path, query: whole.query)
    } catch {
      throw refuse(error.reason)
    }
    self.id = id
    try hosts.check(url)
    guard isObject || id.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw refuse("the job's key has control characters and cannot be sent as X-Prediction-ID")
    }
  }

  /// Where a file of this name goes.
  func url(forFileNamed name: String) throws(BucketError) -> HTTPURL {
    if isObject { return url }
    let name = PercentEncoding.encodePath(name).replacing("/", with: "%2F")
    do throws(HTTPError) {
      return try url.with(
        path: url.path + (url.path.hasSuffix("/") ? "" : "/") + name, query: url.query)
    } catch {
      throw BucketError(.invalidRequest, "upload_url cannot be used: \(error.reason)")
    }
  }

  /// What is sent beside the file, but for ``authorization``.
  ///
  /// - Parameter contentType: nil to say nothing about it.
  func fields(contentType: String?) -> [HTTPField] {
    var fields: [HTTPField] = []
    if let contentType { fields.append(HTTPField("Content-Type", contentType)) }
    if !isObject { fields.append(HTTPField("X-Prediction-ID", encoding: id)) }
    return fields
  }
}
