import Foundation
import NIOHTTP1

/// A request that a ``GoogleFake`` got.
public struct GoogleFakeRequest: Sendable {
  public enum Operation: String, Sendable, CaseIterable {
    /// An upload in one request, of type `multipart`.
    case related
    /// The start of a resumable upload.
    case begin
    /// Bytes for a session.
    case chunk
    /// The question what a session has.
    case state
    /// The end of a session.
    case cancel
    /// Reads bytes.
    case media
    case metadata
    case delete
    case unknown
  }

  public let method: String
  public let target: String
  /// Names in lower case.
  public let fields: [String: String]
  public let path: String
  public let query: [String: String]
  public let operation: Operation
  /// From the path, decoded; or from the query.
  public let bucket: String
  public let object: String?
  /// Which connection it came on, from 0.
  public let connection: Int

  init(_ head: HTTPRequestHead, connection: Int) {
    method = head.method.rawValue
    target = head.uri
    self.connection = connection
    fields = Dictionary(
      head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + "," + $1 })
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts[0])
    var query: [String: String] = [:]
    for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
      let pair = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[Self.decoded(pair[0]) ?? ""] =
        pair.count > 1 ? Self.decoded(pair[1], allowing: "/,") : ""
    }
    self.query = query

    let isUpload = path.hasPrefix("/upload/storage/v1/b/")
    let components = path.dropFirst(isUpload ? 7 : 0).split(
      separator: "/", omittingEmptySubsequences: false)
    // "", storage, v1, b, BUCKET, o, OBJECT
    guard components.count >= 6, components.count <= 7, components[1] == "storage",
      components[2] == "v1", components[3] == "b", components[5] == "o",
      let bucket = Self.decoded(components[4])
    else {
      (bucket, object, operation) = ("", nil, .unknown)
      return
    }
    self.bucket = bucket
    object = components.count == 7 ? Self.decoded(components[6]) : query["name"]
    operation = Self.operation(
      method, isUpload: isUpload, hasObject: components.count == 7, query: query, fields: fields)
  }

  private static func operation(
    _ method: String, isUpload: Bool, hasObject: Bool, query: [String: String],
    fields: [String: String]
  ) -> Operation {
    guard isUpload else {
      guard hasObject else { return .unknown }
      return switch method {
      case "GET": query["alt"] == "media" ? .media : .metadata
      case "DELETE": .delete
      default: .unknown
      }
    }
    guard !hasObject else { return .unknown }
    return switch (method, query["uploadType"], query["upload_id"] != nil) {
    case ("POST", "multipart", false): .related
    case ("POST", "resumable", false): .begin
    case ("PUT", "resumable", true):
      fields["content-range"]?.hasPrefix("bytes */") == true ? .state : .chunk
    case ("DELETE", "resumable", true): .cancel
    default: .unknown
    }
  }

  /// Nil when something is not encoded that must be.
  private static func decoded(_ text: Substring, allowing others: String = "") -> String? {
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%" + others
    guard text.allSatisfy(allowed.contains) else { return nil }
    return String(text).removingPercentEncoding
  }
}
