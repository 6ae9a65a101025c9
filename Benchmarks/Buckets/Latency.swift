import Buckets
import Foundation
import TestSupport

/// How long an object of 1 kB takes from the call to the finished file, one after the other.
enum Latency {
  private static let count = 200

  static func measure(_ stage: Stage) async throws {
    let bucket = try stage.bucket()
    let file = try stage.makeFile("one.bin", byteCount: 1000)
    let key = try ObjectKey(await bucket.upload(file, to: UploadDestination()) { _ in }.key)

    var ours: [Double] = []
    for _ in 0..<count {
      // As a job would: a new file each time.
      let folder = try stage.makeFolder()
      let usage = try await Usage.of(.ourselves) {
        _ = try await bucket.download(key, into: folder, limit: .max) { _ in }
      }
      ours.append(usage.seconds * 1000)
    }
    // A range of numbers in a URL makes one `curl` do all, on one connection.
    let output = try await stage.curl([
      "--output", stage.file("curl-one.bin").path, "--write-out", "%{time_starttransfer}\\n",
      stage.url(key.text) + "?n=[1-\(count)]",
    ])
    let theirs = output.split(separator: "\n").compactMap { Double($0) }.map { $0 * 1000 }
    guard theirs.count == count else { throw TestSupportError("curl says: \(output)") }
    await bucket.close()

    let (our, their) = (median(ours), median(theirs))
    row(
      "1 kB down, one at a time, median", "\(our.hundredths) ms to the whole file",
      "\(their.hundredths) ms to the first byte", "\((our - their).hundredths) ms more")
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
