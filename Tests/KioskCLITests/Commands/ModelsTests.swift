import Foundation
import ModelServing
import Serving
import TestSupport
import Testing

@Suite(.programs) struct ModelsTests {
  private static let metadata = ModelMetadata(
    inputs: [
      "image": .init(type: TensorType(.float32), shape: [-1, 256, 256, 1]),
      "scale": .init(type: TensorType(rawValue: 7), shape: nil),
    ],
    outputs: ["y": .init(type: TensorType(.float32), shape: [-1, 2])])

  /// A server with these versions of models.
  private func server(
    _ models: [String: [ModelVersionStatus]]
  ) throws -> ModelServerHost {
    try ModelServerHost { call in
      switch call.request {
      case .status(let model):
        guard let versions = models[model.name], model.version == nil else {
          return .failure(.notFound, "Could not find any versions of model \(model.name)")
        }
        return .status(versions)
      case .metadata(let model): return .metadata(Self.metadata, model: model)
      default: return .failure(.unimplemented, "")
      }
    }
  }

  private func kiosk(
    port: Int, _ arguments: [String] = [], _ changes: [String: String] = [:]
  ) async throws -> ChildProcess.Status {
    let environment = [
      "TF_HOST": "127.0.0.1", "TF_PORT": "\(port)", "NUCLEAR_MODEL": "Nuclei:6",
      "CYTOPLASM_MODEL": "Cells:5", "PHASE_MODEL": "Cells:7",
    ].merging(changes) { $1 }
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["models"] + arguments, environment: environment)
    try await program.waitForExit()
    return await program.status
  }

  private static let models = [
    "Nuclei": [
      ModelVersionStatus(version: 6, state: .available),
      ModelVersionStatus(version: 7, state: .loading),
    ],
    "Cells": [
      ModelVersionStatus(version: 5, state: .end, code: .internal, message: "out of \u{1B}memory")
    ],
  ]

  @Test func `models of the settings are shown with versions, states and inputs`() async throws {
    let server = try server(Self.models)
    let status = try await kiosk(port: server.port)
    #expect(status.exit == .code(0), "\(status.output)")
    let lines = status.standardOutput.split(separator: "\n").map(String.init)
    let cells = lines.map { $0.split(separator: /\ {2,}/).map(String.init) }
    let inputs = "image float32 (?, 256, 256, 1); scale DT_STRING (of any shape)"
    #expect(
      cells == [
        ["MODEL", "VERSION", "STATE", "INPUTS", "SETTING"],
        ["Nuclei", "6", "available", inputs, "NUCLEAR_MODEL"], ["Nuclei", "7", "loading", "-"],
        ["Cells", "5", "end", "out of \u{FFFD}memory", "CYTOPLASM_MODEL"],
        ["Cells", "7", "missing", "the server has no such version", "PHASE_MODEL"],
      ])
    // Columns begin at the same place in every line.
    let start = try #require(lines[0].range(of: "INPUTS")).lowerBound.utf16Offset(in: lines[0])
    for (line, cells) in zip(lines, cells) { #expect(line.dropFirst(start).hasPrefix(cells[3])) }
    await server.stop()
  }

  @Test func `with --json each version is an object`() async throws {
    let server = try server(Self.models)
    let status = try await kiosk(port: server.port, ["--json"])
    let lines = try jsonLines(status.standardOutput)
    #expect(lines.map { $0["version"] as? Int } == [6, 7, 5, 7])
    #expect(lines.map { $0["state"] as? String } == ["available", "loading", "end", "missing"])
    #expect(lines.allSatisfy { $0["event"] as? String == "model" })
    let inputs = try #require(lines.first?["inputs"] as? [[String: Any]])
    #expect(inputs.map { $0["name"] as? String } == ["image", "scale"])
    #expect(inputs.map { $0["type"] as? String } == ["DT_FLOAT", "DT_STRING"])
    #expect(inputs.first?["shape"] as? [Int] == [-1, 256, 256, 1])
    #expect(inputs.last?["shape"] == nil)
    await server.stop()
  }

  @Test(arguments: [
    (["Nuclei:7"], 0, "Nuclei  7"), (["Cells"], 0, "Cells   5"),
    (["Nuclei:8"], 1, "the server has no such version"),
    (["Mesmer"], 1, "Mesmer  -        missing    the server has no such model"),
    (["Mesmer:2"], 1, "Mesmer  2        missing    the server has no such model"),
  ])
  func `a model that was asked for and is missing gives 1`(
    arguments: [String], code: Int32, row: String
  ) async throws {
    let server = try server(Self.models)
    let status = try await kiosk(port: server.port, arguments)
    #expect(status.exit == .code(code))
    #expect(status.standardOutput.contains(row), "\(status.standardOutput)")
    await server.stop()
  }

  @Test func `a server that is not there gives 3 and names it`() async throws {
    let port = try freePort()
    let status = try await kiosk(port: port)
    #expect(status.exit == .code(3))
    #expect(status.standardError.contains("127.0.0.1:\(port)"))
    #expect(status.standardError.contains("TF_HOST"))
    #expect(status.standardOutput == "")
  }

  @Test func `a server that does not answer, or is of another kind, gives 3`() async throws {
    let silent = try ModelServerHost { _ in
      try? await Task.sleep(for: .seconds(3600))
      return .failure(.cancelled, "")
    }
    let late = try await kiosk(port: silent.port, [], ["GRPC_TIMEOUT": "0.2"])
    #expect(late.exit == .code(3))
    #expect(late.standardError.contains("DEADLINE_EXCEEDED"))
    await silent.stop()

    let other = try ModelServerHost { _ in .failure(.unimplemented, "no such method") }
    let wrong = try await kiosk(port: other.port, ["--json"])
    #expect(wrong.exit == .code(3))
    #expect(wrong.standardError.contains("not TensorFlow Serving"))
    #expect(wrong.standardOutput == "")
    await other.stop()
  }

  @Test(arguments: [
    (["a b"], [:], "a b"), (["Nuclei:new"], [:], "Nuclei:new"),
    (["--tf-port", "x"], [:], "TF_PORT"),
    ([], ["PHASE_MODEL": "Cells"], "PHASE_MODEL"),
  ])
  func `wrong names and settings give 2`(
    arguments: [String], environment: [String: String], word: String
  ) async throws {
    let status = try await kiosk(port: 1, arguments, environment)
    #expect(status.exit == .code(2))
    #expect(status.standardError.contains(word), "\(status.standardError)")
  }
}
