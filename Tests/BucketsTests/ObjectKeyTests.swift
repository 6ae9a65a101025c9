import Buckets
import Testing

@Suite struct ObjectKeyTests {
  @Test(arguments: [
    ("uploads/a/b.tif", "a/b.tif"), ("plain.tif", "plain.tif"), ("/uploads/x.tif", "x.tif"),
    ("uploads//a//b.tif", "a/b.tif"), ("uploads/ä b+ö..tif", "ä b+ö..tif"),
  ])
  func `a download loses the key's first component`(key: String, local: String) throws {
    #expect(try ObjectKey(key).localPath == local)
  }

  @Test(arguments: [
    ("", "it is empty"), ("/", "it is empty"), ("//", "names no file"),
    ("uploads/../../etc/passwd", "'..' would leave its folder"),
    ("uploads/./a", "'.' would leave its folder"),
    ("uploads\\..\\a", "'..' would leave its folder"),
    ("uploads/a\u{0}b", "control characters"), ("a\nb", "control characters"),
    ("uploads/a\u{9b}2J", "control characters"),
    (String(repeating: "a/", count: 600), "longer than 1024 bytes"),
    (String(repeating: "a", count: 256), "longer than 255 bytes"),
  ])
  func `a hostile key is refused with the rule it breaks`(key: String, rule: String) {
    let error = #expect(throws: BucketError.self) { try ObjectKey(key) }
    #expect(error?.code == .invalidRequest)
    #expect(error?.description.contains(rule) == true, "\(String(describing: error))")
    #expect(error?.description.contains { "\n\u{9b}".contains($0) } == false)
  }

  @Test(arguments: [
    ("", "output/a b+é.zip"), ("x/y", "output/x/y/a b+é.zip"), ("/x/y", "output/x/y/a b+é.zip"),
    ("//x", "output/x/a b+é.zip"),
  ])
  func `an upload goes below its prefix`(subdirectory: String, key: String) throws {
    let destination = UploadDestination(subdirectory: subdirectory)
    #expect(try destination.key(forFileNamed: "a b+é.zip").text == key)
  }

  @Test func `an upload cannot leave its prefix`() {
    #expect(throws: BucketError.self) {
      try UploadDestination(subdirectory: "../../x").key(forFileNamed: "a.zip")
    }
  }
}

@Suite struct BucketLocationTests {
  @Test func `the schemes of the Python service and a folder are understood`() throws {
    #expect(try BucketLocation("S3://My-Bucket") == .s3(bucket: "my-bucket"))
    #expect(try BucketLocation("gs://lab/") == .google(bucket: "lab"))
    #expect(try BucketLocation("FILE:///Data/Images") == .folder("/Data/Images"))
  }

  @Test(arguments: [
    ("lab-bucket", "has no ://"), ("ftp://x", "unknown scheme \"ftp\""),
    ("s3://", "names no bucket"),
    ("gs://a/b", "give the bucket alone"), ("file://folder", "file:///absolute/folder"),
  ])
  func `anything else is refused with the value and what to write`(text: String, hint: String) {
    let error = #expect(throws: BucketError.self) { try BucketLocation(text) }
    #expect(error?.description.contains(hint) == true)
    #expect(error?.description.contains("\"\(text)\"") == true)
  }
}
