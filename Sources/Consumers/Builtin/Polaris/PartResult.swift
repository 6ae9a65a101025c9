import Arrays
import FoundationEssentials
import ImageFiles
import JobQueue

/// What the job of a part of an image gave.
struct PartResult {
  private let name: String
  private let archive: ZipReader
  private let limits: DecodingLimits

  /// Fetches it.
  init(_ child: ChildResult, _ consumer: TensorFlowServingConsumer) async throws {
    name = child[Field.originalName] ?? child.key
    guard let output = child[Field.outputFileName] else {
      throw JobError(.internal, "the job of \(name.forReason) is done but names no result")
    }
    let context = consumer.context
    let place = try consumer.folder.subfolder("results")
    let run = consumer.run
    let file = try await context.bucket.download(
      context.bucket.key(named: output), into: place, limit: context.settings.maximumInputBytes
    ) { _ in run.beat() }
    archive = try ZipReader(path: file.path, name: "the result of \(name)")
    limits = consumer.decodingLimits
  }

  /// Coordinates of each frame: `[spot, 2]`.
  func spots() throws -> [NDArray<Double>] {
    try numbered(/.*_([0-9]+)\.npy/) { Int($0.1) }.map { member in
      guard let spots = try decode(member).typed(as: Double.self), spots.rank == 2,
        spots.shape[1] == 2
      else { throw unusable("\(member.name) does not hold spots") }
      return spots
    }
  }

  /// For each kind of cells the labels of each frame: `[row, column]`.
  func labels() throws -> [[NDArray<Int32>]] {
    var kinds: [Int: [NDArray<Int32>]] = [:]
    let members = try numbered(/.*?(?:_batch_([0-9]+))?_feature_([0-9]+)\.tif/) {
      $0.1.map { Int($0) } ?? 0
    }
    for member in members {
      guard let digits = member.name.firstMatch(of: /_feature_([0-9]+)\.tif$/)?.1,
        let kind = Int(digits)
      else { throw unusable("\(member.name) has no number") }
      // One frame a file, or a page.
      let pixels = try decode(member).converted(to: Int32.self)
      guard pixels.rank == 2 || pixels.rank == 3 else {
        throw unusable("\(member.name) has the shape \(pixels.shape.tupleDescription)")
      }
      kinds[kind, default: []] +=
        pixels.rank == 2 ? [pixels] : (0..<pixels.shape[0]).map { pixels.slice($0) }
    }
    return kinds.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The members whose names match, in the order of a number in them.
  private func numbered<Output>(
    _ pattern: Regex<Output>, _ number: (Output) -> Int?
  ) throws -> [ZipReader.Member] {
    let found = archive.members.compactMap { member in
      member.name.wholeMatch(of: pattern).flatMap { number($0.output) }.map { ($0, member) }
    }
    guard !found.isEmpty else { throw unusable("it has none of the files that it should have") }
    return found.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private func decode(_ member: ZipReader.Member) throws -> AnyNDArray {
    let bytes = try archive.bytes(of: member, limit: limits.bytes)
    return try ImageFile.decode(bytes, name: member.name, limits: limits).pixels
  }

  private func unusable(_ what: String) -> JobError {
    JobError(.internal, "the result of \(name.forReason) cannot be used: \(what)")
  }
}
