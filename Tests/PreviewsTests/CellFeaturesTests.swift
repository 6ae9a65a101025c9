import Arrays
import Foundation
import TestSupport
import Testing

@testable import Previews

@Suite(.computing) struct CellFeaturesTests {
  /// What a GeoJSON reader makes of one label.
  private struct Feature: Decodable {
    struct Geometry: Decodable {
      let type: String
      let polygons: [[[[Int]]]]

      enum CodingKeys: CodingKey { case type, coordinates }

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decode(String.self, forKey: .type)
        polygons =
          type == "Polygon"
          ? [try container.decode([[[Int]]].self, forKey: .coordinates)]
          : try container.decode([[[[Int]]]].self, forKey: .coordinates)
      }
    }

    struct Properties: Decodable, Equatable {
      let objectType: String
      let label: Int32
      let frame: Int
      let channel: Int
      let file: String?
    }

    let type: String
    let geometry: Geometry
    let properties: Properties
  }

  private struct Collection: Decodable {
    let type: String
    let features: [Feature]
  }

  private func write(
    _ images: [(NDArray<Int32>, CellSource)], namesFile: Bool = false
  ) throws -> String {
    var bytes: [UInt8] = []
    var features = CellFeatures { bytes += $0 }
    for (labels, source) in images {
      try features.add(try CellOutlines(labels), of: source, namesFile: namesFile)
    }
    try features.finish()
    return String(decoding: bytes, as: UTF8.self)
  }

  private func read(_ text: String) throws -> [Feature] {
    let collection = try JSONDecoder().decode(Collection.self, from: Data(text.utf8))
    #expect(collection.type == "FeatureCollection")
    #expect(collection.features.allSatisfy { $0.type == "Feature" })
    return collection.features
  }

  private func features(of labels: NDArray<Int32>) throws -> [Feature] {
    try read(try write([(labels, CellSource(file: "a.tif", frame: 0, channel: 0))]))
  }

  /// Twice the area by the shoelace formula, positive for outer rings.
  private func doubleArea(_ ring: [[Int]]) -> Int {
    zip(ring, ring.dropFirst()).reduce(0) { sum, side in
      sum + side.0[0] * side.1[1] - side.1[0] * side.0[1]
    }
  }

  /// The pixels within an odd number of rings, as positions in row-major order.
  private func pixels(within rings: [[[Int]]], width: Int) -> Set<Int> {
    var crossings: [Int: [Int]] = [:]
    for ring in rings {
      for (a, b) in zip(ring, ring.dropFirst()) where a[0] == b[0] {
        for y in min(a[1], b[1])..<max(a[1], b[1]) { crossings[y, default: []].append(a[0]) }
      }
    }
    var result: Set<Int> = []
    for (y, places) in crossings {
      let sorted = places.sorted()
      for pair in stride(from: 0, to: sorted.count, by: 2) {
        for x in sorted[pair]..<sorted[pair + 1] { result.insert(y * width + x) }
      }
    }
    return result
  }

  /// The 4-connected pieces of a label image, by label.
  private func pieces(of labels: NDArray<Int32>) -> [Int32: Set<Set<Int>>] {
    let (height, width) = (labels.shape[0], labels.shape[1])
    let values = labels.elements
    var isSeen = values.map { $0 == 0 }
    var result: [Int32: Set<Set<Int>>] = [:]
    for start in values.indices where !isSeen[start] {
      var piece: Set<Int> = []
      var open = [start]
      isSeen[start] = true
      while let i = open.popLast() {
        piece.insert(i)
        let (y, x) = (i / width, i % width)
        for (dy, dx) in [(-1, 0), (1, 0), (0, -1), (0, 1)]
        where (0..<height).contains(y + dy) && (0..<width).contains(x + dx) {
          let j = (y + dy) * width + x + dx
          if values[j] == values[start], !isSeen[j] {
            isSeen[j] = true
            open.append(j)
          }
        }
      }
      result[values[start], default: []].insert(piece)
    }
    return result
  }

  /// Noise of few labels, or blocks of many, with holes.
  private func randomLabels(seed: Int) -> NDArray<Int32> {
    var generator = SeededGenerator(seed: seed)
    let height = Int.random(in: 1...24, using: &generator)
    let width = Int.random(in: 1...24, using: &generator)
    let count = Int32.random(in: 1...6, using: &generator)
    let background = Double.random(in: 0...1, using: &generator)
    var labels = NDArray<Int32>(uninitialized: [height, width]) { output in
      for i in output.indices {
        let isBackground = Double.random(in: 0...1, using: &generator) < background
        output[i] = isBackground ? 0 : Int32.random(in: 1...count, using: &generator)
      }
    }
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let label = [0, 7, 7_000_000, .max][Int.random(in: 0...3, using: &generator)] as Int32
      let (y, x) = (
        Int.random(in: 0..<height, using: &generator), Int.random(in: 0..<width, using: &generator)
      )
      for row in y..<min(height, y + 9) {
        for column in x..<min(width, x + 9) { labels[row, column] = label }
      }
    }
    return labels
  }

  @Test(arguments: 0..<300)
  func `polygons cover exactly the pixels of their pieces`(seed: Int) throws {
    let labels = randomLabels(seed: seed)
    let expected = pieces(of: labels)
    let features = try features(of: labels)
    #expect(features.map(\.properties.label) == expected.keys.sorted())
    for feature in features {
      let label = feature.properties.label
      let polygons = feature.geometry.polygons
      #expect(feature.geometry.type == (polygons.count == 1 ? "Polygon" : "MultiPolygon"))
      // Each hole is in the polygon of the piece that it is a hole of.
      let covered = Set(polygons.map { pixels(within: $0, width: labels.shape[1]) })
      #expect(covered == expected[label], "label \(label)")
      #expect(covered.count == polygons.count)
      for polygon in polygons {
        let area = polygon.reduce(0) { $0 + doubleArea($1) } / 2
        #expect(area == pixels(within: polygon, width: labels.shape[1]).count)
      }
    }
  }

  @Test(arguments: 0..<100)
  func `rings are closed, turn at every corner, and go round by the right-hand rule`(seed: Int)
    throws
  {
    for feature in try features(of: randomLabels(seed: seed)) {
      for polygon in feature.geometry.polygons {
        for (number, ring) in polygon.enumerated() {
          #expect(ring.count >= 5)
          #expect(ring.first == ring.last)
          #expect(Set(ring).count == ring.count - 1, "no corner twice")
          #expect((doubleArea(ring) > 0) == (number == 0))
          for (a, b) in zip(ring, ring.dropFirst()) {
            #expect((a[0] == b[0]) != (a[1] == b[1]), "one axis at a time")
          }
          let steps = zip(ring, ring.dropFirst()).map { $0[0] == $1[0] }
          #expect(zip(steps, steps.dropFirst() + steps.prefix(1)).allSatisfy { $0 != $1 })
        }
      }
    }
  }

  @Test func `a square with a hole is known to the letter`() throws {
    let labels = NDArray<Int32>(
      shape: [4, 5],
      elements: [
        0, 3, 3, 3, 0,
        0, 3, 0, 3, 0,
        0, 3, 3, 3, 0,
        0, 0, 0, 0, 3,
      ])
    let source = CellSource(file: "ä\"\\\n.tif", frame: 2, channel: 1)
    #expect(
      try write([(labels, source)], namesFile: true) == #"""
        {"type":"FeatureCollection","features":[
        {"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[4,0],[4,3],[1,3],[1,0],[4,0]],[[2,1],[2,2],[3,2],[3,1],[2,1]]],[[[5,3],[5,4],[4,4],[4,3],[5,3]]]]},"properties":{"objectType":"detection","label":3,"frame":2,"channel":1,"file":"ä\"\\\u000a.tif"}}
        ]}

        """#)
  }

  @Test func `several label images are one collection, and none is an empty one`() throws {
    let labels = NDArray<Int32>(shape: [1, 2], elements: [1, 2])
    let images = (0..<3).map { (labels, CellSource(file: "a\u{1}.tif", frame: $0, channel: 4)) }
    let found = try read(try write(images, namesFile: true)).map(\.properties)
    #expect(found.map(\.frame) == [0, 0, 1, 1, 2, 2])
    #expect(found.map(\.label) == [1, 2, 1, 2, 1, 2])
    #expect(found.allSatisfy { $0.channel == 4 && $0.file == "a\u{1}.tif" })
    #expect(found.allSatisfy { $0.objectType == "detection" })
    #expect(try read(try write([])).isEmpty)
    #expect(try features(of: NDArray(shape: [0, 3])).isEmpty)
  }

  @Test func `labels that are not one image are refused`() {
    #expect(throws: ArrayError.self) { try CellOutlines(NDArray(shape: [2, 3, 4])) }
  }
}
