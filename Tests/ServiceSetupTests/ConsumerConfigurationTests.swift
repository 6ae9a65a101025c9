import Consumers
import Settings
import TestSupport
import Testing

@testable import Buckets
@testable import ConsumerMain
@testable import ServiceSetup

/// What is set about files is what consumers work with.
@Suite struct ConsumerConfigurationTests {
  private func configuration(
    _ environment: [String: String]
  ) throws -> ConsumerConfiguration {
    var values = SettingValues(
      environment: ["CONSUMER_TYPE": "image"].merging(environment) { $1 })
    let configuration = ConsumerConfiguration(from: &values, registry: consumers)
    #expect(values.problems.isEmpty)
    return try #require(configuration)
  }

  @Test func `inputs and archives are limited as it is set`() throws {
    let settings = try configuration([
      "STORAGE_MAX_INPUT_MIB": "3", "STORAGE_ZIP_MAX_MEMBERS": "5", "STORAGE_ZIP_MAX_MIB": "7",
    ]).settings
    #expect(settings.maximumInputBytes == 3 << 20)
    #expect(settings.archiveLimits.members == 5 && settings.archiveLimits.bytes == 7 << 20)

    let defaults = try configuration([:]).settings
    #expect(defaults.maximumInputBytes == 16384 << 20)
    #expect(defaults.archiveLimits.members == 10_000)
    #expect(defaults.archiveLimits.bytes == 16384 << 20)
  }

  @Test func `a folder waits for the disk unless it need not`() throws {
    let folder = try TemporaryFolder()
    let location = BucketLocation.folder(folder.path)
    for (text, expected) in [("", true), ("on", true), ("off", false)] {
      let values = SettingValues(environment: ["STORAGE_FILE_FSYNC": text])
      let bucket = try #require(try values.openBucket(at: location) as? FolderBucket)
      #expect(bucket.synchronizes == expected)
    }
  }

  @Test func `without a bucket there is a folder of the user's`() throws {
    guard case .folder(let path) = try configuration([:]).bucket else {
      Issue.record("it is no folder")
      return
    }
    #expect(path.hasSuffix("/kiosk/bucket"))
  }
}
