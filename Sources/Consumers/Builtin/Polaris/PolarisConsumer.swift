import Arrays
import FoundationEssentials
import ImageAlgorithms
import ImageFiles
import JobQueue

/// Finds spots, and the cells that they are in.
///
/// Spots and cells are found by jobs of other queues, for which this one waits without a slot. The result has
/// for each frame `<name>_<frame>.csv`, a row a spot, and `<name>_batch_<frame>_feature_<k>.tif` for each
/// kind of cells: `k` counts nuclei before whole cells in cultures, and is what a mesmer job labels in
/// tissue. Column `cellID<k>` of the table has the numbers of that file.
///
/// - Source: the polaris consumer of kiosk-redis-consumer 0.17.2.
final class PolarisConsumer: TensorFlowServingConsumer {
  /// What the jobs that find spots and cells are of the progress.
  private static let share = 0.9

  override func consume(_ job: Job) async throws -> JobStatus {
    let request = try PolarisRequest(job, context: context)
    if let kept = try await keptResult() { return try await tell(kept, of: job) }
    let children = run.isResumed ? try await children() : []
    return try await removingPartsOnFailure {
      if children.isEmpty {
        return try await send(parts(of: job, request), of: job, share: Self.share)
      }
      let unfinished = try waiting(for: children, share: Self.share) { index in
        let what = index == 0 ? "spots" : "cells"
        return "the \(what) of \(job.originalName.forReason) could not be found"
      }
      if let unfinished { return unfinished }
      return try await match(children, job, request)
    }
  }

  /// What jobs are to work on: first the spots, then the cells.
  private func parts(of job: Job, _ request: PolarisRequest) async throws -> [JobPart] {
    let pixels = try decode(await download(job.inputFileName))
    let image = try batchRowColumnChannel(pixels, order: job.dimensionOrder ?? "").image
    try context.settings.imageLimits.check(image.shape)
    try request.requireChannels(of: image)
    try requireFinitePixels(image)
    let common = [Field.dimensionOrder: "BXY", Field.scale: request.scale]
    return request.parts.map { part in
      JobPart(
        ending: "\(part.name)-image.tif",
        queue: part.queue ?? context.settings.segmentationQueue,
        fields: common.merging(part.fields) { $1 }
      ) {
        let selected = image.selectingChannels(part.channels)
        // One channel as [batch, row, column], several as [batch, channel, row, column].
        return part.channels.count == 1
          ? selected : selected.movingAxis(3, to: 1).expandingDimensions(at: 4)
      }
    }
  }

  private func match(
    _ children: [ChildResult], _ job: Job, _ request: PolarisRequest
  ) async throws -> JobStatus {
    let (spots, cells) = try await stage(.download) {
      var parts: [PartResult] = []
      for child in children { parts.append(try await PartResult(child, self)) }
      return (try parts[0].spots(), try parts.dropFirst().flatMap { try $0.labels() })
    }
    guard cells.allSatisfy({ $0.count == spots.count }) else {
      throw JobError(
        .internal,
        "the \(spots.count) frames with spots of \(job.originalName.forReason) are not those with cells"
      )
    }
    try await enter(.savingResults, of: job)
    var files: [URL] = []
    let name = Self.withoutExtension(job.originalName)
    for (frame, spots) in spots.enumerated() {
      let labels = cells.map { $0[frame] }
      if !labels.isEmpty {
        let planes = try NDArray.concatenated(labels.map { $0.expandingDimensions(at: 0) })
        files += try saveArray(
          planes.movingAxis(0, to: 2), name: job.originalName, suffix: "_batch_\(frame)")
      }
      let table = try SpotTable(spots, in: labels)
      files.append(try saveFile(table.csv, name: "\(name)_\(frame).csv"))
      run.beat()
    }
    return try await deliver(files, of: job, madeFrom: children)
  }
}

/// Spots with the cells that they are in.
struct SpotTable {
  private let spots: NDArray<Double>
  private let cellNumbers: [[Int32]]

  /// - Parameters:
  ///   - spots: `[spot, 2]`, row and column of each.
  ///   - labels: `[row, column]` for each kind of cells.
  /// - Throws: ``ImageError`` when a spot lies outside of the image.
  init(_ spots: NDArray<Double>, in labels: [NDArray<Int32>]) throws {
    self.spots = spots
    cellNumbers = try labels.map { try cells(ofSpots: spots, in: $0) }
  }

  /// `x,y,cellID0,...`, the column before the row; lines end as in Python's tables.
  var csv: [UInt8] {
    let header = ["x", "y"] + cellNumbers.indices.map { "cellID\($0)" }
    var text = header.joined(separator: ",") + "\r\n"
    spots.withUnsafeBuffer { spots in
      for i in 0..<spots.count / 2 {
        text += "\(spots[2 * i + 1]),\(spots[2 * i])"
        for numbers in cellNumbers { text += ",\(numbers[i])" }
        text += "\r\n"
      }
    }
    return Array(text.utf8)
  }
}
