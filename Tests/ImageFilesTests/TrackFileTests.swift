import Arrays
import CDeflate
import Foundation
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct TrackFileTests {
  private static let raw = NDArray<Float>(
    shape: [3, 4, 5, 1], elements: (0..<60).map { Float($0) / 4 })
  private static let tracked = NDArray<Int32>(
    shape: [3, 4, 5, 1], elements: (0..<60).map { Int32($0 % 7) })
  private static let rawFile = NPYEncoder.encode(raw)
  private static let trackedFile = NPYEncoder.encode(tracked)
  private static let good = TarBytes(
    ("lineage.json", Array("{}".utf8)), ("raw.npy", rawFile), ("tracked.npy", trackedFile))

  private func read(
    _ bytes: [UInt8], limits: DecodingLimits = .generous
  ) throws(ImageFileError) -> TrackFile {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(ImageFileError) in
        try TrackFile.read(ByteSource(borrowing: buffer, name: "a.trk"), limits: limits)
      }
    }
    return try result.get()
  }

  private func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let compressor = libdeflate_alloc_compressor(6)
    defer { libdeflate_free_compressor(compressor) }
    let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_gzip_compress(compressor, bytes, bytes.count, buffer.baseAddress, bound)
    }
  }

  @Test(arguments: GoldenCase.all("load_track_file"))
  func `a track file has the arrays that the Python service read`(golden: GoldenCase) throws {
    let file = try #require(golden.params.file)
    let read = try TrackFile.read(contentsOf: golden.path(of: file), name: file)
    #expect(read.raw.dtype == .float32 && read.tracked.dtype == .int32)
    let (raw, tracked) = (try golden.array("X.npy"), try golden.array("y.npy"))
    #expect(read.raw.asFloat == raw.asFloat)
    #expect(read.tracked.converted(to: Int64.self) == tracked.converted(to: Int64.self))
  }

  @Test func `there are golden cases`() {
    #expect(GoldenCase.all("load_track_file").count == 2)
  }

  @Test(arguments: 0..<60) func `what is written is read again`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let shape = (0..<4).map { _ in Int.random(in: 1...9, using: &generator) }
    let raw = NDArray<Float>(
      shape: shape,
      elements: (0..<shape.reduce(1, *)).map { _ in .random(in: 0...1, using: &generator) }
    )
    let labels = raw.map { Int32($0 * 100) }
    let folder = try TemporaryFolder()
    let path = try TrackFile.write(
      raw: AnyNDArray(raw), tracked: AnyNDArray(labels), lineage: "{}", name: "b/c.d",
      in: folder.path)
    #expect(path == folder.path + "/b/c.d.trk")
    let bytes = try folder.bytes(of: "b/c.d.trk")
    #expect(bytes.count % 512 == 0)
    for file in [bytes, gzip(bytes), gzip(Array(bytes[..<700])) + gzip(Array(bytes[700...]))] {
      let read = try read(file)
      #expect(read.raw.typed(as: Float.self) == raw)
      #expect(read.tracked.typed(as: Int32.self) == labels)
    }
  }

  @Test func `archives of other programs are read`() throws {
    // Long names, pax records, other members, folders, and no end.
    var tar = TarBytes()
    tar.add("pax", Array("19 path=./tracked.npy\n30 mtime=1350244992.023960108\n".utf8), type: "g")
    tar.add("./", type: "5")
    tar.add("notes/", type: "5")
    tar.add("long", Array("notes/\(String(repeating: "n", count: 120))\u{0}".utf8), type: "L")
    tar.add("notes/nnn", Array("text".utf8))
    tar.add("./raw.npy", Self.rawFile)
    tar.add("pax", Array("20 path=tracked.npy\n".utf8), type: "x")
    tar.add("another.npy", Self.trackedFile)
    #expect(try read(tar.bytes).tracked.typed(as: Int32.self) == Self.tracked)

    // A prefix, a type of old programs and a size in binary.
    var old = TarBytes()
    old.add("raw.npy", Self.rawFile, type: "\0") { header in
      header[124] = 0x80
      for i in 125..<136 { header[i] = 0 }
      (header[134], header[135]) = (UInt8(Self.rawFile.count >> 8), UInt8(Self.rawFile.count & 255))
    }
    old.add("tracked.npy", Self.trackedFile, type: "7")
    old.add("x.json", Array("[]".utf8)) { $0.replaceSubrange(345..<348, with: "abc".utf8) }
    #expect(try read(old.finished).raw.typed(as: Float.self) == Self.raw)
  }

  @Test func `a size that is not that of what follows does not matter`() throws {
    // Some programs tell the room of folders, which have no content.
    var folder = TarBytes()
    folder.add("./", type: "5", size: 4096)
    #expect(try read(folder.bytes + Self.good.finished).raw.typed(as: Float.self) == Self.raw)

    // What records say of a file is not meant for headers between them and it.
    var tar = TarBytes()
    tar.add("pax", Array("12 size=\(Self.rawFile.count)\n".utf8), type: "x")
    tar.add("long", Array("raw.npy\u{0}".utf8), type: "L")
    tar.add("pax", Array("19 path=./tracked.npy\n".utf8), type: "g")
    tar.add("short.npy", Self.rawFile, size: 1)
    tar.add("tracked.npy", Self.trackedFile)
    #expect(try read(tar.finished).raw.typed(as: Float.self) == Self.raw)
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let name: String
    let code: ImageFileError.Code
    let words: String
    let bytes: @Sendable () -> [UInt8]
    var testDescription: String { name }
  }

  private static func bad(
    _ name: String, _ code: ImageFileError.Code, _ words: String,
    _ bytes: @escaping @Sendable () -> [UInt8]
  ) -> Bad {
    Bad(name: name, code: code, words: words, bytes: bytes)
  }

  private static func member(
    _ name: String, type: Unicode.Scalar = "0", content: [UInt8] = []
  ) -> [UInt8] {
    var tar = TarBytes()
    tar.add(name, content, type: type)
    return tar.bytes + good.finished
  }

  private static let badFiles: [Bad] = [
    bad("nothing", .damaged, "a.trk is empty (0 bytes)") { [] },
    bad("an image", .unknownFormat, "is not a tar archive: it is a PNG image") {
      [0x89, 0x50, 0x4E, 0x47] + Array(repeating: 7, count: 600)
    },
    bad("a few bytes", .unknownFormat, "is not a tar archive") { Array("II*\u{0}".utf8) },
    bad("bzip2", .unknownFormat, "it is compressed with bzip2") { Array("BZh91AY&SY".utf8) },
    bad("no raw", .damaged, "a.trk has no raw.npy in it; a track file holds raw.npy") {
      TarBytes(("tracked.npy", trackedFile)).finished
    },
    bad("no tracked", .damaged, "a.trk has no tracked.npy in it") {
      TarBytes(("raw.npy", rawFile)).finished
    },
    bad("no members", .damaged, "a.trk has no raw.npy in it") { TarBytes().finished },
    bad("an array twice", .damaged, "has raw.npy in it twice") {
      TarBytes(("raw.npy", rawFile)).bytes + good.finished
    },
    bad("objects", .unsupported, "raw.npy, that holds elements of the NumPy type |O") {
      let text = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
      let file =
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      return TarBytes(("raw.npy", file)).finished
    },
    bad("a pickle", .damaged, "raw.npy, that is not a NumPy array file") {
      TarBytes(("raw.npy", [0x80, 4, 0x95] + Array(repeating: 0, count: 40))).finished
    },
    bad("an array without its end", .damaged, "raw.npy, that should hold 240 bytes") {
      TarBytes(("raw.npy", Array(rawFile.dropLast(8)))).finished
    },
    bad("a huge array", .tooLarge, "raw.npy, that takes 40 GB in memory; at most") {
      let header = NPYHeader(dtype: .float32, shape: [100_000, 100_000, 1]).encoded
      return TarBytes(("raw.npy", header)).finished
    },
    bad("a size that overflows", .damaged, "raw.npy, that has an impossible shape") {
      let header = NPYHeader(dtype: .float32, shape: [Int.max, Int.max]).encoded
      return TarBytes(("raw.npy", header)).finished
    },
    bad("..", .unsafeMember, #"../raw.npy, that has "." or ".." as a folder in its name"#) {
      member("../raw.npy")
    },
    bad(".. inside", .unsafeMember, "a/../../raw.npy, that has") { member("a/../../raw.npy") },
    bad(".. in a long name", .unsafeMember, "../long, that has") {
      var tar = TarBytes()
      tar.add("x", Array("16 path=../long\n".utf8), type: "x")
      tar.add("raw.npy", rawFile)
      return tar.finished
    },
    bad("an absolute path", .unsafeMember, "/etc/passwd, that has an absolute path") {
      member("/etc/passwd")
    },
    bad("a drive", .unsafeMember, "that has an absolute path") { member("C:raw.npy") },
    bad("a symbolic link", .unsafeMember, "raw.npy, that is a link or a device") {
      member("raw.npy", type: "2")
    },
    bad("a hard link", .unsafeMember, "is a link or a device") { member("raw.npy", type: "1") },
    bad("a device", .unsafeMember, "is a link or a device") { member("null", type: "3") },
    bad("a sparse file", .unsafeMember, "is a link or a device") { member("raw.npy", type: "S") },
    bad("many members", .tooLarge, "has more than 1000 members") {
      var tar = TarBytes()
      for number in 0..<1001 { tar.add("\(number)") }
      return tar.bytes + good.finished
    },
    bad("a damaged header", .damaged, "is a damaged tar archive") {
      var bytes = good.finished
      bytes[1024 + 3] ^= 1
      return bytes
    },
    bad("a cut archive", .damaged, "ends too early") { Array(good.finished[..<1700]) },
    bad("a size beyond the end", .damaged, "is a damaged tar archive") {
      var tar = TarBytes()
      tar.add("x", size: 1 << 25)
      return tar.finished
    },
    bad("a long extension", .damaged, "is a damaged tar archive") {
      var tar = TarBytes()
      tar.add("x", type: "x", size: 2 << 20)
      return tar.finished
    },
  ]

  @Test(arguments: badFiles) func `a bad file is refused in words`(bad: Bad) {
    let error = #expect(throws: ImageFileError.self) { try read(bad.bytes()) }
    #expect(error?.code == bad.code)
    #expect(error?.description.contains(bad.words) == true, "\(error?.description ?? "")")
  }

  @Test func `a bomb is refused before it is unpacked`() throws {
    // 65 MB of zeros in a member that nobody needs.
    var bomb = TarBytes()
    bomb.add("zeros", Array(repeating: 0, count: 65 << 20))
    let packed = gzip(bomb.bytes + Self.good.finished)
    #expect(packed.count < 1 << 20)
    let error = #expect(throws: ImageFileError.self) { try read(packed) }
    #expect(error?.code == .tooLarge)
    #expect(error?.description.contains("in members that do not belong to it") == true)

    var limits = DecodingLimits()
    limits.bytes = 200
    #expect(
      #expect(throws: ImageFileError.self) {
        try read(Self.good.finished, limits: limits)
      }?.code == .tooLarge)
  }

  @Test func `damage to what is packed is found`() {
    let packed = gzip(Self.good.finished)
    var damaged = packed
    damaged[packed.count / 2] ^= 0xFF
    for bytes in [damaged, Array(packed.dropLast(12)), Array(packed[..<12])] {
      #expect(#expect(throws: ImageFileError.self) { try read(bytes) }?.code == .damaged)
    }
    // What follows the end does not matter.
    #expect((try? read(packed + [0, 0, 0])) != nil)
  }

  @Test(arguments: 0..<300) func `no corruption does more than end in an error`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let isPacked = seed % 4 == 0
    var bytes = isPacked ? gzip(Self.good.finished) : Self.good.finished
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      // Headers mostly: of members and of arrays.
      let start = isPacked ? 0 : [0, 1024, 1536, 2048][Int.random(in: 0...3, using: &generator)]
      let index = min(start + Int.random(in: 0..<512, using: &generator), bytes.count - 1)
      bytes[index] = UInt8.random(in: 0...255, using: &generator)
    }
    if seed % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
    if !isPacked { repairChecksums(&bytes) }
    do throws(ImageFileError) {
      let file = try read(bytes)
      #expect(file.raw.count >= 0)
    } catch {
      #expect(!error.description.isEmpty)
    }
  }

  /// Makes the headers' checksums fit, so that what is behind them is reached.
  private func repairChecksums(_ bytes: inout [UInt8]) {
    for start in stride(from: 0, to: bytes.count - 511, by: 512)
    where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
      bytes.replaceSubrange(start + 148..<start + 156, with: Array(repeating: 0x20, count: 8))
      let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
      let text = String(repeating: "0", count: 6 - sum.count) + sum
      bytes.replaceSubrange(start + 148..<start + 154, with: text.utf8)
    }
  }

  @Test(arguments: [false, true]) func `a cancelled task stops reading`(isPacked: Bool) async {
    // Packed: so many empty parts that no byte comes out of them for long.
    let empty = gzip([])
    let bytes =
      isPacked ? Array(repeatElement(empty, count: 10_000).joined()) : Self.good.finished
    let task = Task { () -> ImageFileError.Code? in
      withUnsafeCurrentTask { $0?.cancel() }
      do throws(ImageFileError) {
        _ = try read(bytes)
        return nil
      } catch {
        return error.code
      }
    }
    #expect(await task.value == .cancelled)
  }
}
