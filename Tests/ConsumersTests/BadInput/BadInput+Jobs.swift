import Arrays
import Consumers
import Foundation
import ImageFiles
import TestSupport

extension BadInput {
  /// Fields that are wrong.
  static let jobs = scales + orders + channelLists + names

  private static let scales = scaleTexts + scaledImages

  /// Scales that are none.
  static let scaleTexts: [BadInput] =
    ["abc", "nan", "inf", "-inf", "1e400", "-1", "0", "0.05", "11", "1,5", " "].map { text in
      .fields(
        "`scale` \"\(text)\"", ["scale": text], .invalidInput,
        "scale \"\(text)\" is not a number from 0.1 to 10")
    } + [
      .fields(
        "`scale` of 100,000 digits", ["scale": String(repeating: "9", count: 100_000)],
        .invalidInput, "scale \"9999", "is not a number from 0.1 to 10"),
      BadInput(
        name: "`scale` that is not UTF-8", code: .invalidInput, words: ["scale \"1\u{FFFD}\""],
        job: JobFields().with("scale", [0x31, 0xFF])),
    ]

  private static let scaledImages: [BadInput] = [
    BadInput(
      name: "`scale` 10 on 2048 x 2048 pixels", code: .invalidInput,
      words: ["scale 10", "20480 x 20480", "choose a smaller scale"],
      job: JobFields(["scale": "10"]),
      input: .bytes { try TestImage.tiff(NDArray(shape: [2048, 2048], repeating: 1)) }),
    BadInput(
      name: "`scale` 4 on 30 frames of 1024 x 1024 pixels", code: .invalidInput,
      words: ["each of 30 images of 1024 x 1024", "4096 x 4096"],
      job: JobFields([
        "scale": "4", "dimension_order": "BXY", "original_name": "bad.npy",
        "input_file_name": "uploads/bad.npy",
      ]),
      input: .bytes {
        NPYEncoder.encode(NDArray<UInt8>(shape: [30, 1024, 1024], repeating: 1))
      }),
    BadInput(
      name: "`scale` 0.1 on 5 x 5 pixels", code: .invalidInput,
      words: ["leaves nothing of an image of 5 x 5 pixels"], job: JobFields(["scale": "0.1"]),
      input: .bytes { try TestImage.tiff(NDArray(shape: [5, 5], repeating: 1)) }),
  ]

  private static let orders: [BadInput] = [
    ("QQ", "dimension_order \"QQ\" is not an order of axes"),
    ("XX", "dimension_order \"XX\" is not an order of axes"),
    ("XYX", "dimension_order \"XYX\""), ("BC", "dimension_order \"BC\""),
    ("BXYC ", "dimension_order \"BXYC \""), ("ΧY", "dimension_order \"ΧY\""),
    ("XY\nB", "dimension_order \"XY B\""),
    ("XYB", "dimension order was XYB but input image has shape (48, 56)"),
    ("BXYC", "dimension order was BXYC but input image has shape (48, 56)"),
    ("X", "dimension_order \"X\""),
    (String(repeating: "XY", count: 5000), "dimension_order \"XYXYXY"),
  ].map { order, words in
    .fields(
      "`dimension_order` \"\(order.count > 20 ? "XYXYXY… (10,000 letters)" : order)\" on 2 axes",
      ["dimension_order": order], .invalidInput, words)
  }

  private static let channelLists: [BadInput] = [
    ("9,", "has 1 channel but channel 9 was selected"), ("a", "\"a\" is not a channel number"),
    ("-1", "\"-1\" is not a channel number"), ("0,0,0,0", "\"0,0,0,0\" has more than 3 entries"),
    ("0,0", "has 1 channel but 2"), ("1.5,", "\"1.5\" is not a channel number"),
    ("99999999999999999999,", "is not a channel number"), ("0;1", "\"0;1\" is not"),
    (String(repeating: "0,", count: 4000), "has more than 3 entries"),
  ].map { list, words in
    .fields(
      "`channels` \"\(list.count > 30 ? "0,0,0,… (8,000 letters)" : list)\" on one channel",
      ["channels": list], .invalidInput, words)
  }

  /// Names of inputs and results.
  static let names: [BadInput] = [
    BadInput(
      name: "no `input_file_name` field", code: .invalidInput,
      words: ["input_file_name is empty"],
      job: JobFields().without("input_file_name")),
    .fields(
      "empty `input_file_name`", ["input_file_name": ""], .invalidInput,
      "input_file_name is empty", "upload an image first"),
    BadInput(
      name: "neither names nor any other field but `status`", code: .invalidInput,
      words: ["input_file_name is empty"],
      job: JobFields().without(
        "original_name", "input_file_name", "created_at", "updated_at", "dimension_order",
        "channels", "scale", "label", "model_name", "model_version", "identity_upload")),
    BadInput(
      name: "`input_file_name` that is not UTF-8", code: .invalidInput,
      words: ["not valid UTF-8"],
      job: JobFields().with("input_file_name", Array("uploads/".utf8) + [0xE9])),
    .fields(
      "`original_name` of 4 KB", ["original_name": String(repeating: "n", count: 4096)],
      .invalidInput, "more than 1024 bytes", "rename it"),
    .fields(
      "`original_name` of 250 letters, too many with what results add",
      ["original_name": String(repeating: "n", count: 246) + ".tif"], .invalidInput,
      "has a name too long for a file", "shorten it"),
    .fields(
      "`original_name` \"../../etc/cron.d/x.tif\"", ["original_name": "../../etc/cron.d/x.tif"],
      .invalidInput, "has \".\" or \"..\" as a folder in its name", "rename it"),
    .fields(
      "`original_name` \"a/../../b.tif\"", ["original_name": "a/../../b.tif"], .invalidInput,
      "as a folder in its name"),
    .fields(
      "`original_name` \"..\\..\\b.tif\"", ["original_name": "..\\..\\b.tif"], .invalidInput,
      "as a folder in its name"),
    .fields(
      "`original_name` \"C:\\data\\b.tif\"", ["original_name": "C:\\data\\b.tif"], .invalidInput,
      "has a name that is an absolute path on Windows"),
    .fields(
      "`original_name` with a NUL", ["original_name": "a\0b.tif"], .invalidInput,
      "has control characters in its name"),
    .fields(
      "`original_name` with a line break", ["original_name": "a\nb.tif"], .invalidInput,
      "has control characters in its name"),
  ]
}

extension BadInput {
  /// Keys of inputs that are wrong.
  static let keys: [BadInput] =
    [
      ("../x.tif", .invalidInput, "'..' would leave its folder"),
      ("uploads/../../x.tif", .invalidInput, "'..' would leave its folder"),
      ("uploads\\..\\x.tif", .invalidInput, "'..' would leave its folder"),
      ("/", .invalidInput, "it is empty"),
      ("//", .invalidInput, "it names no file"),
      ("uploads/\u{1}.tif", .invalidInput, "it contains control characters"),
      ("uploads/" + String(repeating: "k", count: 300), .invalidInput, "longer than 255 bytes"),
      ("uploads/" + String(repeating: "k/", count: 5000), .invalidInput, "longer than 1024 bytes"),
      ("/etc/passwd", .storageNotFound, "etc/passwd does not exist in the bucket"),
      ("uploads/not-there.tif", .storageNotFound, "uploads/not-there.tif does not exist"),
      ("uploads/bad.tif/x.tif", .storageNotFound, "uploads/bad.tif/x.tif does not exist"),
      ("uploads/", .invalidInput, "is a folder"),
      ("uploads/dir", .invalidInput, "uploads/dir is a folder"),
      ("uploads/pipe.tif", .invalidInput, "uploads/pipe.tif is a folder or a device"),
      ("uploads/outside.tif", .invalidInput, "is a link that leads out of the bucket"),
      ("uploads/passwd", .invalidInput, "is a link that leads out of the bucket"),
      ("uploads/%2e%2e/%2e%2e/etc/passwd", .storageNotFound, "does not exist in the bucket"),
      ("https://example.org/cells.tif", .invalidInput, "is a web address"),
      ("http://169.254.169.254/latest/meta-data", .invalidInput, "is a web address"),
      ("s3://other/uploads/bad.tif", .invalidInput, "is a web address"),
      ("file:///etc/passwd", .invalidInput, "is a web address"),
      ("uploads/good3.zip", .invalidInput, "Invalid filetype for \"predict\" job"),
    ].map { (key: String, code: JobError.Code, words: String) in
      let shown = key.count > 60 ? key.prefix(20) + "… (\(key.count) letters)" : key[...]
      return BadInput(
        name: "input \"\(shown.replacing("\u{1}", with: "^A"))\"", code: code, words: [words],
        job: JobFields(["input_file_name": key]),
        prepare: { bucket in
          let files = FileManager.default
          try files.createDirectory(
            atPath: bucket.file("uploads/dir"), withIntermediateDirectories: true)
          try files.createSymbolicLink(
            atPath: bucket.file("uploads/outside.tif"), withDestinationPath: "../../outside.tif")
          try files.createSymbolicLink(
            atPath: bucket.file("uploads/passwd"), withDestinationPath: "/etc/passwd")
          guard mkfifo(bucket.file("uploads/pipe.tif"), 0o600) == 0 else {
            throw TestSupportError("cannot make a pipe: \(errno)")
          }
        })
    } + [
      BadInput(
        name: "input that is not in the bucket", code: .storageNotFound,
        words: ["uploads/bad.tif does not exist in the bucket", "upload it first"],
        input: .none),
      BadInput(
        name: "input over the limit of bytes", code: .invalidInput,
        words: ["STORAGE_MAX_INPUT_MIB"],
        input: .bytes { Array(repeating: 0, count: 3 << 20) },
        settings: { $0.maximumInputBytes = 2 << 20 }),
    ]
}
