import Buckets
import Settings

extension SettingValues {
  /// What sends results to the URLs of jobs; nil if a setting cannot be used.
  package mutating func uploadTargets() -> UploadTargets? {
    do {
      return UploadTargets(
        hosts: try UploadHosts(text("STORAGE_UPLOAD_HOSTS") ?? ""), settings: transferSettings(),
        sendsContentType: boolean("STORAGE_UPLOAD_CONTENT_TYPE"))
    } catch {
      report("STORAGE_UPLOAD_HOSTS", error.reason)
      return nil
    }
  }

  /// Where results go whose jobs do not say; nil for the bucket.
  package mutating func uploadURL(_ targets: UploadTargets) -> String? {
    guard let url = text("UPLOAD_URL") else { return nil }
    do {
      let target = try UploadTarget(url, id: "", hosts: targets.hosts)
      if target.isObject {
        report(
          "UPLOAD_URL",
          "it is the address of one file, which each result would replace; end its path with /")
      }
    } catch {
      report("UPLOAD_URL", error.reason)
    }
    return url
  }
}
