import Arrays
import ImageFiles
import TestSupport

extension BadInput {
  /// The same as for images, but for what spots do not depend on: scale, order of axes and channels.
  static let ofSpot: [BadInput] =
    (names + keys + contents + pixels + spotImages).map { $0.of(.spot) } + models(.spot)

  private static let spotImages: [BadInput] =
    [
      ([64], "an image of spots has rows and columns"), ([], "an image of spots has rows"),
      ([1, 64, 1], "an image of spots has rows and columns"),
      ([2, 9, 9, 2], "an image of spots has rows and columns"), ([0, 5], "no pixels"),
      ([5, 0], "no pixels"), ([2, 5, 0], "no pixels"),
      ([2, 2049], "larger than the maximum supported image size"),
      ([2049, 2], "larger than the maximum supported image size"),
      ([61, 5, 5], "the image has 61 frames; at most 60 are allowed"),
      ([70, 70, 61], "the image has 61 frames; at most 60 are allowed"),
    ].map { shape, words in
      .image("image of shape \((shape as Shape).tupleDescription)", file: "bad.npy", words) {
        NPYEncoder.encode(NDArray<UInt8>(shape: shape, repeating: 1))
      }
    }
}
