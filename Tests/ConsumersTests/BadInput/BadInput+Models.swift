import Arrays
import Consumers
import Foundation
import ModelServing
import Serving
import TestSupport

extension BadInput {
  /// Model servers that do not do what they should.
  static func models(_ kind: JobKind) -> [BadInput] {
    let rows = (signatures(kind) + answers(kind) + failures).map { $0.of(kind) }
    if kind.type == "image" { return rows + modelNames }
    return rows.map { row in
      var row = row
      // What selects the model of an image job.
      row.job = JobFields()
      return row
    }
  }

  private static let modelNames: [BadInput] = [("Nope", 1), ("CytoplasmSegmentation", 99)].map {
    (name: String, version: Int) in
    BadInput(
      name: "model \(name):\(version), which the server does not have", code: .unsupportedModel,
      words: ["does not have the model \(name) version \(version)", "check the model's name"],
      job: JobFields(["channels": ",0"]), peer: .fails(.internal),
      settings: { $0.cytoplasmModel = ModelName(name: name, version: version) })
  }

  private static func signatures(_ kind: JobKind) -> [BadInput] {
    let channels = JobKind.models.shape(of: kind.model)[3]
    let tensor = JobKind.models.tensor(of: kind.model)
    return [
      .model(
        "model for inputs of 2 axes", .unsupportedModel, "takes an input of shape (-1, 32)",
        peer: .input([-1, 32])),
      .model(
        "model for inputs of 5 axes", .unsupportedModel,
        "takes an input of shape (-1, 9, 32, 32, 1)",
        peer: .input([-1, 9, 32, 32, 1])),
      .model(
        "model for inputs of unknown rank", .unsupportedModel, "shape unknown", peer: .input(nil)),
      .model(
        "model for \(channels + 1) channels", .unsupportedModel,
        "takes \(channels + 1)-channel images", peer: .input([-1, 32, 32, channels + 1])),
      .model(
        "model for 0 channels", .unsupportedModel, "takes 0-channel images",
        peer: .input([-1, 32, 32, 0])),
      .model(
        "model for texts", .unsupportedModel, "takes inputs of type DT_STRING",
        peer: .input([-1, 32, 32, channels], type: TensorType(rawValue: 7))),
      .model(
        "model for tiles of 2^40 pixels", .unsupportedModel, "1048576 x 1048576 pixels",
        peer: .input([-1, 1 << 20, 1 << 20, channels])),
      .model(
        "model for tiles of 2^120 pixels", .unsupportedModel, "more than can be processed",
        peer: .input([-1, 1 << 60, 1 << 60, channels])),
      .model(
        "model with two inputs", .unsupportedModel, "takes 2 inputs (image, mask)",
        peer: .inputs([
          "image": tensor, "mask": tensor,
        ])),
      .model(
        "model with a thousand inputs", .unsupportedModel, "takes 1000 inputs",
        peer: .inputs(
          Dictionary(uniqueKeysWithValues: (0..<1000).map { ("input_\($0)", tensor) }))),
      .model(
        "model without inputs", .unsupportedModel, "takes 0 inputs", peer: .inputs([:])),
      .model(
        "metadata of garbage", .predictInvalid, "gave no usable answer",
        peer: .metadata { _ in .bytes(Array(repeating: 0xFF, count: 200)) }),
      .model(
        "empty metadata", .predictInvalid, "gave no usable answer",
        peer: .metadata { _ in .bytes([]) }),
    ]
  }

  private static func answers(_ kind: JobKind) -> [BadInput] {
    // Where outputs are looked for by their names they are missing.
    let isNamed = kind.type == "spot"
    let missing = "has no output \"classification\""
    let none = ["image": "answered no output", "mesmer": "the model has 0"][kind.type] ?? missing
    return [
      .model(
        "answer of garbage", .predictInvalid, "gave no usable answer",
        peer: .predict { _ in .bytes(SeededBytes.make(5000)) }),
      .model(
        "answer without outputs", isNamed ? .unsupportedModel : .predictInvalid, none,
        peer: .predict { _ in .bytes([]) }),
      .model(
        "end of the call without an answer", .predictInvalid, "without a message",
        peer: .predict { _ in .failure(.ok, "") }),
      .model(
        "answer of other rows and columns", .predictInvalid, "for tiles of 32 x 32 pixels",
        peer: .heads { tiles in AnyNDArray(NDArray<Float>(shape: [tiles.shape[0], 16, 16, 1])) }),
      .model(
        "answer of 2 axes", .predictInvalid, "for tiles of 32 x 32 pixels",
        peer: .heads { tiles in AnyNDArray(NDArray<Float>(shape: [tiles.shape[0], 5])) }),
      .model(
        "answer without channels", .predictInvalid, "answered 0 channels",
        peer: .heads { tiles in AnyNDArray(NDArray<Float>(shape: [tiles.shape[0], 32, 32, 0])) }),
      .model(
        "answer to fewer tiles than sent", .predictInvalid, "to a batch of",
        peer: .heads { tiles in AnyNDArray(tiles.slice(0..<tiles.shape[0] - 1)) }),
      .model(
        "answer that is one number", .predictInvalid, "answered an array of shape ()",
        peer: .heads { _ in AnyNDArray(NDArray<Float>(shape: [], elements: [1])) }),
      .model(
        "answer of texts", isNamed ? .unsupportedModel : .predictInvalid,
        isNamed ? missing : "has an unsupported type",
        peer: .predict { _ in .bytes(SeededBytes.textReply) }),
      .model(
        "answer of NaNs", .predictInvalid, "the model answered values that are not a number",
        peer: .heads { tiles in
          AnyNDArray(NDArray(shape: tiles.shape.dropLast() + [3], repeating: Float.nan))
        }),
      .model(
        "answer of infinities", .predictInvalid, "the model answered values that are not a number",
        peer: .heads { tiles in
          AnyNDArray(NDArray(shape: tiles.shape.dropLast() + [3], repeating: Float.infinity))
        }),
      .model(
        "answer beyond the memory allowed", .predictInvalid, "bytes",
        peer: .heads { tiles in AnyNDArray(NDArray<Float>(shape: tiles.shape.dropLast() + [40])) },
        serving: { $0.maximumReplyBytes = 100_000 }),
    ]
  }

  private static let failures: [BadInput] =
    [
      (.invalidArgument, .predictInvalid, "this request do not fit"),
      (.internal, .predictInvalid, "gave no usable answer"),
      (.unimplemented, .predictInvalid, "is not TensorFlow Serving"),
      (.resourceExhausted, .predictExhausted, "is overloaded"),
      (.unavailable, .predictUnavailable, "cannot be reached"),
      (.deadlineExceeded, .predictDeadline, "did not answer in time"),
    ].map { (status: StatusCode, code: JobError.Code, words: String) in
      .model("\(status) for ever", code, words, peer: .fails(status, "because\n of that"))
    } + [
      .model(
        "error of 100,000 letters over many lines", .predictInvalid, "Traceback",
        peer: .fails(
          .internal, "Traceback (most recent call last):\n" + String(repeating: "x\n", count: 3000))
      ),
      .model(
        "no answer, ever", .predictDeadline, "did not answer in time", "raise GRPC_TIMEOUT",
        peer: .predict { _ in
          try? await Task.sleep(for: .seconds(600))
          return .failure(.ok, "")
        },
        serving: {
          $0.timeout = .milliseconds(200)
          $0.maximumRetries = 0
        }),
      .model(
        "connection cut while the model works", .predictUnavailable, "cannot be reached",
        peer: .cutsConnections),
      .model(
        "a web server instead of a model server", .predictUnavailable, "cannot be reached",
        "check TF_HOST and TF_PORT",
        peer: .bytes(.sendAndClose("HTTP/1.1 400 Bad Request\r\n\r\n"))),
      .model(
        "nobody at the model server's port", .predictUnavailable, "cannot be reached",
        peer: .nobody),
    ]
}

/// Messages no server would send.
private enum SeededBytes {
  static func make(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 3)
    return generator.bytes(count)
  }

  /// A PredictResponse whose output `y` is a tensor of one string.
  static let textReply: [UInt8] = {
    let tensor: [UInt8] = [0x08, 7, 0x12, 4, 0x12, 2, 0x08, 1, 0x42, 2, 0x68, 0x69]
    let entry: [UInt8] = [0x0A, 1, 0x79, 0x12, UInt8(tensor.count)] + tensor
    return [0x0A, UInt8(entry.count)] + entry
  }()
}
