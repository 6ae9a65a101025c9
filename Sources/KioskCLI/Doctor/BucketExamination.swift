import Buckets
import CurlClient
import Foundation

/// Whether inputs can be read from the bucket and results be written to it, by doing so with an object
/// of a few bytes under each of the two prefixes.
struct BucketExamination {
  private let bucket: any Bucket
  private let folder: String
  private let authorityFile: String?

  /// A person waits for it.
  private static let timeout: Duration = .seconds(30)
  /// Stores refuse requests that are a quarter of an hour off.
  private static let tolerableSkew = 30
  private static let refusedSkew = 900

  /// - Parameters:
  ///   - authorityFile: certificates that the store's is checked with, besides the system's.
  ///   - open: throws for settings that cannot be used.
  /// - Throws: `CancellationError` only.
  static func findings(
    trusting authorityFile: String?, open: () throws -> any Bucket
  ) async throws -> [Finding] {
    let bucket: any Bucket
    do { bucket = try open() } catch {
      return [
        Finding(.fail, "bucket", "\(error)", hint: "correct the settings of the bucket")
      ]
    }
    let folder = try ResultFolder.makeFolder(in: FileManager.default.temporaryDirectory.path)
    defer { ResultFolder.removeFolder(folder) }
    let findings = try await BucketExamination(
      bucket: bucket, folder: folder, authorityFile: authorityFile
    ).findings()
    await bucket.close()
    return findings
  }

  private func findings() async throws -> [Finding] {
    if let finding = try await failure("bucket", of: "check", { try await bucket.check() }) {
      return [finding] + (await facts())
    }
    return [Finding(.ok, "bucket", "answers")]
      + (try await roundTrip("uploads", .internal)) + (try await roundTrip("output", .result))
      + (await facts())
  }

  // MARK: An object

  private func roundTrip(
    _ prefix: String, _ visibility: UploadDestination.Visibility
  ) async throws -> [Finding] {
    let name = "kiosk-doctor-\(UInt64.random(in: .min ... .max)).txt"
    let bytes = Data("written by kiosk doctor; may be removed\n".utf8)
    let file = URL(filePath: folder).appending(path: name)
    let destination = UploadDestination(
      prefix: prefix, contentType: "text/plain", visibility: visibility)
    var stored = StoredObject(key: "", url: "")
    var findings: [Finding] = []
    let unwritten = try await failure(prefix, of: "write") {
      try bytes.write(to: file)
      stored = try await bucket.upload(file, to: destination) { _ in }
    }
    if let unwritten { return [unwritten] }
    let unread = try await failure(prefix, of: "read") {
      let copy = try await bucket.download(
        bucket.key(named: stored.key), into: URL(filePath: folder).appending(path: "read"),
        limit: 1 << 20
      ) { _ in }
      guard try Data(contentsOf: copy) == bytes else {
        throw BucketError(.checksum, "other bytes were read than were written")
      }
    }
    if visibility == .result { findings.append(await opening(stored.url)) }
    let unremoved = try await failure(prefix, of: "delete") {
      try await bucket.delete(bucket.key(named: stored.key))
    }
    let failures = [unread, unremoved].compactMap(\.self)
    return
      (failures.isEmpty ? [Finding(.ok, prefix, "write, read and delete work")] : failures)
      + findings
  }

  /// Whether a client without a credential can open a result.
  private func opening(_ url: String) async -> Finding {
    guard url.hasPrefix("http") else {
      return Finding(
        .ok, "result URL", "\(url.prefix { $0 != ":" }):// is for clients with access of their own")
    }
    let hint =
      "give everyone the right to read output/, or set STORAGE_OUTPUT_URL=presigned, or "
      + "STORAGE_PUBLIC_BASE_URL to a gateway's"
    do {
      let client = try HTTPClient(
        HTTPClientConfiguration(
          userAgent: "kiosk", authorityFile: authorityFile, trustsSystem: true, usesProxies: true))
      let response = try await client.send(
        HTTPRequest("GET", HTTPURL(url), timeouts: HTTPTimeouts(total: Self.timeout)),
        overflow: .cut)
      return response.status == 200
        ? Finding(.ok, "result URL", "opens without a credential")
        : Finding(
          .warn, "result URL", "answers \(response.status) to a client without a credential",
          hint: hint)
    } catch {
      return Finding(.warn, "result URL", "\(error)", hint: hint)
    }
  }

  // MARK: What is known of the way to it

  private func facts() async -> [Finding] {
    let facts = await bucket.facts()
    var findings: [Finding] = []
    if !facts.details.isEmpty {
      findings.append(
        Finding(
          .ok, "store", facts.details.map { "\($0.name) \($0.value)" }.joined(separator: ", ")))
    }
    findings += facts.warnings.map { Finding(.warn, "store", $0) }
    if let offset = facts.clockOffset {
      let skew = abs(offset)
      findings.append(
        skew <= Self.tolerableSkew
          ? Finding(.ok, "store clock", "\(skew) s apart")
          : Finding(
            skew < Self.refusedSkew ? .warn : .fail, "store clock",
            "this machine's clock is \(skew) s \(offset > 0 ? "behind" : "ahead of") the store's",
            hint: "synchronise this machine's clock; signatures hold for 15 minutes only"))
    }
    return findings
  }

  // MARK: What fails

  /// Does something; returns what is to be said when it fails.
  private func failure(
    _ subject: String, of step: String, _ body: () async throws -> Void
  ) async throws -> Finding? {
    do {
      try await body()
      return nil
    } catch let error as CancellationError {
      throw error
    } catch {
      return Finding(
        .fail, subject, "\(step): \(error)",
        hint: (error as? BucketError).flatMap { Self.hint(for: $0.code, step) })
    }
  }

  private static func hint(for code: BucketError.Code, _ step: String) -> String? {
    switch code {
    case .accessDenied:
      switch step {
      case "write": "grant the right to make objects (s3:PutObject, storage.objects.create)"
      case "read": "grant the right to read objects (s3:GetObject, storage.objects.get)"
      case "delete": "grant the right to remove objects (s3:DeleteObject, storage.objects.delete)"
      default: "grant the rights that docs/storage.md names"
      }
    case .credentials: "check the credential; docs/storage.md says where it is looked for"
    case .network, .timeout: "check the endpoint, and whether this machine reaches it"
    case .notFound: "check the bucket's name, and its region"
    default: nil
    }
  }
}
