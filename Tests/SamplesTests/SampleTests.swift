import Arrays
import Samples
import TestSupport
import Testing

@Suite(.computing) struct SampleTests {
  private func areas(_ labels: NDArray<Int32>) -> [Int32: Int] {
    var areas: [Int32: Int] = [:]
    for label in labels.elements where label != 0 { areas[label, default: 0] += 1 }
    return areas
  }

  @Test(arguments: 0..<10) func `nuclei lie in their cells, one in each`(seed: Int) throws {
    let tissue = try TissueSample(seed: seed, side: 100 + 10 * seed)
    let (cells, nuclei) = (areas(tissue.cells), areas(tissue.nuclei))
    #expect(cells.count > 15)
    #expect(cells.keys.sorted() == (1...Int32(cells.count)).map { $0 })
    #expect(cells.keys.sorted() == nuclei.keys.sorted())
    for (label, area) in nuclei { #expect(area < cells[label] ?? 0) }
    #expect(
      zip(tissue.nuclei.elements, tissue.cells.elements).allSatisfy { $0 == 0 || $0 == $1 })
  }

  @Test func `no more is drawn than asked for`() throws {
    let tissue = try TissueSample(seed: 1, side: 150, count: 7)
    #expect(areas(tissue.cells).count == 7)
    let cells = try CellSample(seed: 1, side: 200, count: 5, radii: 8...13)
    #expect(areas(cells.labels).count == 5)
    // There is an end to what finds room.
    for (count, range) in [(0, 0...0), (9, 9...9), (5000, 50...300)] {
      let sample = try SpotSample(seed: 1, side: 60, count: count)
      #expect(range.contains(sample.spots.count), "\(sample.spots.count)")
    }
  }

  @Test(arguments: 0..<5) func `each spot is brighter than what is around it`(seed: Int) throws {
    let sample = try SpotSample(seed: seed, side: 120, count: 30)
    for spot in sample.spots {
      let (row, column) = (Int(spot.row.rounded()), Int(spot.column.rounded()))
      let middle = sample.image[row, column]
      let around = [(-3, -3), (-3, 3), (3, -3), (3, 3)].compactMap { y, x -> Float? in
        let (row, column) = (row + y, column + x)
        guard (0..<120).contains(row), (0..<120).contains(column) else { return nil }
        return sample.image[row, column]
      }
      #expect(middle > around.reduce(0, +) / Float(around.count))
    }
  }

  @Test func `spots in a tissue are in its cells`() throws {
    let sample = try SpotSample(seed: 3, side: 128, count: 80, hasTissue: true)
    let cells = try #require(sample.tissue?.cells)
    #expect(sample.spots.count == 80)
    for spot in sample.spots {
      #expect(cells[Int(spot.row.rounded()), Int(spot.column.rounded())] > 0)
    }
  }

  @Test func `a seed stands for one sample`() throws {
    let tissues = try [5, 5, 6].map { try TissueSample(seed: $0).membraneImage }
    #expect(tissues[0] == tissues[1] && tissues[0] != tissues[2])
    let movies = try [5, 5, 6].map {
      try MovieSample(seed: $0, side: 100, frames: 5, count: 6).images
    }
    #expect(movies[0] == movies[1] && movies[0] != movies[2])
  }

  @Test func `pictures are whole numbers of 16 bits`() throws {
    let pictures = [
      try CellSample(seed: 1, count: 20, radii: 8...13).counts,
      try TissueSample(seed: 1).nuclearImage, try TissueSample(seed: 1).membraneImage,
      try SpotSample(seed: 1, count: 50).image,
      try MovieSample(seed: 1, side: 100, frames: 2, count: 4).images,
    ]
    for picture in pictures {
      #expect(picture.elements.allSatisfy { $0 == $0.rounded() && (0...65535).contains($0) })
      #expect(Set(picture.elements).count > 50)
    }
  }
}
