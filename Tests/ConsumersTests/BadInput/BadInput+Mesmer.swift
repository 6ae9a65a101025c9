import Arrays
import ImageFiles
import TestSupport

extension BadInput {
  /// The same as for images, and what only images of two channels can have.
  static let ofMesmer: [BadInput] =
    (names + scaleTexts + keys + contents + mesmerFields + mesmerImages).map { $0.of(.mesmer) }
    + models(.mesmer)

  private static let mesmerFields: [BadInput] =
    [
      ("0", "require 2 channels but 1 were declared"),
      ("0,1,0", "require 2 channels but 3 were declared"),
      ("0,2", "Input only has 2 channels but channel 2 was declared"),
      ("a,1", "\"a\" is not a channel number"), ("-1,0", "\"-1\" is not a channel number"),
      ("0;1", "\"0;1\" is not a channel number"), ("1.5,0", "\"1.5\" is not a channel number"),
      ("0,99999999999999999999", "is not a channel number"),
      (String(repeating: "0,", count: 4000), "but 4000 were declared"),
    ].map { list, words in
      .fields(
        "`channels` \"\(list.count > 30 ? "0,0,0,… (8,000 letters)" : list)\" on two channels",
        ["channels": list], .invalidInput, words)
    }
    + ["nuclei", "Both", "whole-cell,nuclear", " ", String(repeating: "n", count: 5000)].map {
      .fields(
        "`compartment` \"\($0.count > 30 ? "nnn… (5,000 letters)" : $0)\"", ["compartment": $0],
        .invalidInput, "is none of whole-cell, nuclear, both")
    }
    + [
      .fields(
        "`scale` 0.02 of an image, where it is allowed", ["scale": "0.1"], .invalidInput,
        "leaves nothing of an image of 5 x 5 pixels"
      ).on([2, 5, 5]),
      .fields(
        "`scale` 10 on 2048 x 2048 pixels", ["scale": "10"], .invalidInput, "20480 x 20480",
        "choose a smaller scale"
      ).on([2048, 2048, 2]),
    ]

  private static let mesmerImages: [BadInput] =
    [
      ([48, 56], "has one channel"), ([1, 48, 56, 1], "has one channel"), ([1, 1, 7], "has one"),
      ([64], "has one channel"), ([], "has one channel"), ([3, 48, 56], "has 3 channels"),
      ([48, 56, 5], "has 5 channels"), ([48, 3, 56], "has 48 channels"),
      ([2, 2, 8, 9, 2], "images have rows, columns and channels"), ([0, 5, 2], "no pixels"),
      ([5, 5, 0], "no pixels"), ([2049, 5, 2], "larger than the maximum supported image size"),
      ([5, 2049, 2], "larger than the maximum supported image size"),
      ([61, 5, 5, 2], "the image has 61 frames; at most 60 are allowed"),
    ].map { shape, words in
      .image("image of shape \((shape as Shape).tupleDescription)", file: "bad.npy", words) {
        NPYEncoder.encode(NDArray<UInt8>(shape: shape, repeating: 1))
      }
    } + [
      .image("a NaN in the second channel", "channel 1 of the image has 1 of 2688 pixels") {
        var pair = TestImage.pair
        pair[1, 7, 7] = .nan
        return try TestImage.tiff(pair)
      },
      .image(
        "a NaN, and a scale", fields: ["scale": "2"], "channel 0 of the image has 1 of 2688 pixels"
      ) {
        var pair = TestImage.pair
        pair[0, 7, 7] = .infinity
        return try TestImage.tiff(pair)
      },
      .image(
        "a NaN in the second of 3 frames", file: "bad.npy", "channel 0 of frame 1 of the image"
      ) {
        var frames = NDArray<Float>(shape: [3, 6, 7, 2], repeating: 0.5)
        frames[1, 2, 2, 0] = .nan
        return NPYEncoder.encode(frames)
      },
    ]
}

extension BadInput {
  /// The same on an image of another shape, whose pixels are all equal.
  func on(_ shape: Shape) -> BadInput {
    var copy = self
    copy.job = copy.job.with("input_file_name", Array("uploads/bad.npy".utf8))
    copy.input = .bytes { NPYEncoder.encode(NDArray<UInt8>(shape: shape, repeating: 1)) }
    return copy
  }
}
