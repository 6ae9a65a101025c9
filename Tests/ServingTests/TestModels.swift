import Arrays
import Foundation
import Logging
import ModelServing
import Retrying
import Serving
import Synchronization
import TestSupport

let testModel = ModelName(name: "NuclearSegmentation", version: 6)

extension ServingConfiguration {
  /// A configuration for a server of this test.
  static func test(port: Int, _ change: (inout ServingConfiguration) -> Void = { _ in }) -> Self {
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = port
    configuration.timeout = .seconds(300)  // no test passes or fails by how fast the machine is
    change(&configuration)
    return configuration
  }
}

extension ServingClient {
  convenience init(
    port: Int, clock: AnyClock = .continuous, cache: (any MetadataCache)? = nil,
    _ change: (inout ServingConfiguration) -> Void = { _ in }
  ) {
    self.init(.test(port: port, change), cache: cache, clock: clock)
  }
}

/// Answers Predict with its inputs.
func echo(
  _ encoding: ModelServerReply.Encoding = .typed
) -> @Sendable (ModelServerCall) async -> ModelServerReply {
  { call in
    guard case .predict(let predict) = call.request else { return .failure(.unimplemented, "") }
    return .outputs(predict.inputs, model: predict.model, encoding: encoding)
  }
}

/// Never answers until the call is cancelled.
@Sendable func silent(_ call: ModelServerCall) async -> ModelServerReply {
  try? await Task.sleep(for: .seconds(3600))
  return .failure(.cancelled, "")
}

/// A number tests count with.
final class Tally: Sendable {
  private let state = Mutex(0)
  var value: Int { state.withLock { $0 } }
  @discardableResult func next() -> Int {
    state.withLock { count in
      count += 1
      return count
    }
  }
}

extension AnyNDArray {
  /// An array of any type, shape and content that its type can have.
  static func random(
    _ dtype: DType? = nil, maximumExtent: Int = 9, using generator: inout SeededGenerator
  ) -> AnyNDArray {
    let rank = Int.random(in: 0...4, using: &generator)
    let shape = (0..<rank).map { _ in Int.random(in: 0...maximumExtent, using: &generator) }
    return random(dtype, shape: shape, using: &generator)
  }

  static func random(
    _ dtype: DType? = nil, shape: Shape, using generator: inout SeededGenerator
  ) -> AnyNDArray {
    let dtype = dtype ?? DType.allCases.randomElement(using: &generator) ?? .float32
    return AnyNDArray(dtype: dtype, uninitialized: shape) { buffer in
      for index in buffer.indices {
        let byte = UInt8.random(in: .min ... .max, using: &generator)
        buffer[index] = dtype == .bool ? byte & 1 : byte
      }
    }
  }

  static func floats(_ shape: Shape, value: Float = 1) -> AnyNDArray {
    AnyNDArray(NDArray<Float>(shape: shape, repeating: value))
  }

  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// Whether type, shape and every bit agree.
  func isIdentical(to other: AnyNDArray) -> Bool {
    dtype == other.dtype && shape == other.shape && bytes == other.bytes
  }
}

/// Protobuf messages written field by field, also those no library would write.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }

  mutating func varint(_ number: Int, _ value: Int64) {
    varint(UInt64(number << 3))
    varint(UInt64(bitPattern: value))
  }

  mutating func float(_ number: Int, _ value: Float) {
    varint(UInt64(number << 3 | 5))
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func bytes(_ number: Int, _ value: [UInt8]) {
    varint(UInt64(number << 3 | 2))
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func message(_ number: Int, _ body: (inout WireWriter) -> Void) {
    var writer = WireWriter()
    body(&writer)
    bytes(number, writer.bytes)
  }

  /// One output of a PredictResponse.
  mutating func output(_ name: String, _ tensor: (inout WireWriter) -> Void) {
    message(1) { entry in
      entry.bytes(1, Array(name.utf8))
      entry.message(2, tensor)
    }
  }

  mutating func shape(_ extents: [Int64]) {
    message(2) { shape in
      for extent in extents { shape.message(2) { $0.varint(1, extent) } }
    }
  }

  static func message(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    body(&writer)
    return writer.bytes
  }
}

/// Bytes of a recorded message.
func fixture(_ name: String) throws -> [UInt8] {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/wire")
  return Array(try Data(contentsOf: folder.appending(path: name)))
}
