import Arrays
import Foundation
import TestSupport
import Testing

@testable import ImageAlgorithms

@Suite(.computing) struct GoldenTrackingTests {
  @Test(arguments: Golden.cases("linear_sum_assignment"))
  func `equal sums are decided as by the reference`(golden: GoldenCase) throws {
    let expected = try golden.array("output.npy").labels
    let rows = expected.channel(0).elements.map(Int.init)
    let columns =
      golden.types["cost.npy"] == "float32"
      ? try linearSumAssignment(golden.array("cost.npy").floats)
      : try linearSumAssignment(golden.array("cost.npy").doubles)
    #expect(rows == Array(columns.indices))
    #expect(columns == expected.channel(1).elements.map(Int.init))
  }

  @Test(arguments: Golden.cases("normalize_adj_matrix"))
  func `adjacency is normalised as by the reference`(golden: GoldenCase) throws {
    let epsilon = Float(try #require(golden.parameters["epsilon"].number))
    let result = try normalizedAdjacency(golden.array("input.npy").floats, epsilon: epsilon)
    #expect(
      result.isClose(to: try golden.array("output.npy").floats, absolute: 2e-6, relative: 2e-6))
  }

  @Test(arguments: Golden.cases("get_image_features"))
  func `cells have the features that the reference gives them`(golden: GoldenCase) throws {
    let image = try golden.array("X.npy").floats
    let parameters = try appearance(golden)
    let features = try FrameFeatures(
      of: image.channel(0), labels: golden.array("y.npy").labels.channel(0),
      appearance: parameters)
    #expect(try features.labels == golden.array("labels.npy").labels.elements)
    #expect(
      features.centroids.isClose(
        to: try golden.array("centroids.npy").floats, absolute: 1e-5, relative: 1e-6))
    #expect(
      features.morphologies.isClose(
        to: try golden.array("morphologies.npy").floats, absolute: 1e-4, relative: 1e-5))
    let isStretched = parameters.cropMode == .resize || !parameters.isNormalized
    #expect(
      features.appearances.isClose(
        to: try golden.array("appearances.npy").floats, absolute: isStretched ? 0.005 : 2e-4,
        relative: isStretched ? 1e-5 : 1e-4))
  }

  @Test(arguments: Golden.cases("cell_tracking_app").filter { $0.parameters.members.count > 0 })
  func `over recorded answers cells are tracked as by the reference`(golden: GoldenCase) throws {
    var tracker = try CellTracker(
      raw: golden.array("X.npy").floats, labels: golden.array("y.npy").labels,
      parameters: parameters(golden))
    try describe(&tracker, golden)
    let recorded = golden.folder
    var call = 0
    while tracker.nextFrame < tracker.frameCount {
      guard let comparison = try tracker.comparison() else {
        try tracker.link(nil)
        continue
      }
      call += 1
      let number = call < 10 ? "0\(call)" : "\(call)"
      for (name, array) in [
        "current_embeddings": comparison.currentEmbeddings,
        "current_centroids": comparison.currentCentroids,
        "future_embeddings": comparison.futureEmbeddings,
        "future_centroids": comparison.futureCentroids,
      ] {
        let shape = golden.parameters["inference_calls"].list[call - 1][name].integers
        #expect(array.shape == shape)
        let file = "\(name)_\(number).npy"
        if FileManager.default.fileExists(atPath: recorded.appending(path: file).path) {
          let expected = try golden.array(file).floats
          #expect(array.isClose(to: expected, absolute: 1e-5, relative: 1e-6), "\(file)")
        }
      }
      let answer = try golden.array("pred_\(number).npy").floats
      try checkCosts(answer, tracker, golden, number)
      try tracker.link(answer)
    }
    #expect(call == golden.parameters["inference_calls"].list.count)

    let result = tracker.result()
    #expect(try result.labels == golden.array("y_tracked.npy").labels)
    #expect(try result.labels == golden.array("y_after.npy").labels)
    let lineage = try JSONDecoder().decode(JSON.self, from: Data(result.lineage.json.utf8))
    #expect(lineage == golden.values["tracks"])
  }

  @Test(arguments: Golden.cases("cell_tracking_app").filter { $0.parameters.members.isEmpty })
  func `where the reference fails on a frame without cells, the others are tracked`(
    golden: GoldenCase
  ) async throws {
    let labels = try golden.array("y.npy").labels
    let tracks = try await ModelOfPositions.track(golden.array("X.npy").floats, labels)
    let empty = (0..<labels.shape[0]).filter { frame in
      labels.slice(frame).elements.allSatisfy { $0 == 0 }
    }
    #expect(!empty.isEmpty)
    for track in tracks.lineage.tracks {
      #expect(track.frames.allSatisfy { !empty.contains($0) })
    }
    #expect(tracks.labels.map { $0 > 0 } == labels.map { $0 > 0 })
  }

  private func appearance(_ golden: GoldenCase) throws -> AppearanceParameters {
    AppearanceParameters(
      size: try #require(golden.parameters["appearance_dim"].integer),
      cropMode: try #require(.init(rawValue: golden.parameters["crop_mode"].text)),
      isNormalized: golden.parameters["norm"] == .bool(true))
  }

  private func parameters(_ golden: GoldenCase) throws -> TrackingParameters {
    func number(_ name: String) throws -> Double { try #require(golden.parameters[name].number) }
    return TrackingParameters(
      appearance: try appearance(golden), maximumDistance: try number("distance_threshold"),
      trackLength: Int(try number("track_length")), birth: try number("birth"),
      death: try number("death"), division: try number("division"))
  }

  /// Sees what the describing model is sent, and gives the recorded answer.
  private func describe(_ tracker: inout CellTracker, _ golden: GoldenCase) throws {
    let frames = 0..<tracker.frameCount
    #expect(tracker.descriptionRanges == [frames])
    let sent = tracker.descriptions(of: frames)
    #expect(sent.appearances.shape == golden.values["ne_app_shape"].integers)
    #expect(
      sent.adjacency.isClose(
        to: try golden.array("ne_adj.npy").floats, absolute: 2e-6, relative: 2e-6))
    #expect(
      sent.morphologies.isClose(
        to: try golden.array("ne_morph.npy").floats, absolute: 1e-4, relative: 1e-5))
    #expect(
      sent.centroids.isClose(
        to: try golden.array("ne_centroid.npy").floats, absolute: 1e-5, relative: 1e-6))
    let expected = try golden.array("ne_app_first2cells.npy").floats
    for frame in frames {
      #expect(
        sent.appearances.slice(frame).slice(0..<2).isClose(
          to: expected.slice(frame), absolute: 0.005, relative: 1e-5))
    }
    try tracker.accept(golden.array("ne_embeddings.npy").floats, of: frames)
  }

  /// Sees the costs and the assignment of a frame.
  private func checkCosts(
    _ answer: NDArray<Float>, _ tracker: CellTracker, _ golden: GoldenCase, _ number: String
  ) throws {
    let costs = answer.withUnsafeBuffer {
      LinkCosts(
        $0, cells: answer.shape[3], isCapped: tracker.tracks.map(\.isCapped), tracker.parameters)
    }
    let matrix = NDArray<Double>(uninitialized: [costs.size, costs.size]) { values in
      for row in 0..<costs.size {
        let line = values[row * costs.size..<(row + 1) * costs.size]
        costs.write(row, to: UnsafeMutableBufferPointer(rebasing: line))
      }
    }
    #expect(
      matrix.asFloat.isClose(to: try golden.array("cost_\(number).npy").floats, absolute: 1e-7))
    let columns = try golden.array("assign_\(number).npy").labels.channel(1)
    #expect(try costs.assignment() == columns.elements.map(Int.init))
  }
}
