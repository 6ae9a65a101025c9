import TestSupport

/// Which servers to measure with, and what.
struct Choice {
  private enum Quantity: String, CaseIterable {
    case big, small, latency, memory

    func measure(_ stage: Stage) async throws {
      switch self {
      case .big: try await BigFile.measure(stage)
      case .small: try await SmallObjects.measure(stage)
      case .latency: try await Latency.measure(stage)
      case .memory: try await PeakMemory.measure(stage)
      }
    }
  }

  private let programs: [S3Program]
  private let quantities: [Quantity]

  /// - Parameter words: names of servers and quantities; where there are none of a kind, all.
  init(_ words: some Collection<String>) throws {
    let programs = words.compactMap(S3Program.init)
    let quantities = words.compactMap(Quantity.init)
    guard programs.count + quantities.count == words.count else {
      let names = S3Program.allCases.map(\.rawValue) + Quantity.allCases.map(\.rawValue)
      throw TestSupportError("what can be chosen: \(names.joined(separator: " "))")
    }
    self.programs = programs.isEmpty ? S3Program.allCases : programs
    self.quantities = quantities.isEmpty ? Quantity.allCases : quantities
  }

  func measure() async throws {
    for program in programs {
      try await Stage.with(program) { stage in
        print()
        row(program.testDescription, "Buckets", "curl", "")
        for quantity in quantities { try await quantity.measure(stage) }
      }
    }
  }
}
