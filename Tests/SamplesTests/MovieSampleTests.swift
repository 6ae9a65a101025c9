import Arrays
import Samples
import TestSupport
import Testing

@Suite(.computing) struct MovieSampleTests {
  @Test(arguments: 0..<20) func `tracks and labels tell the same story`(seed: Int) throws {
    let frames = 4 + seed % 5
    let movie = try MovieSample(seed: seed, side: 120 + seed, frames: frames, count: 3 + seed)
    let side = 120 + seed
    #expect(movie.images.shape == [frames, side, side])
    #expect(movie.labels.shape == movie.images.shape)
    #expect(movie.tracks.map(\.label) == Array(1...movie.tracks.count))
    for frame in 0..<frames {
      let seen = Set(movie.labels.slice(frame).elements.map(Int.init)).subtracting([0])
      let told = Set(movie.tracks.filter { $0.frames.contains(frame) }.map(\.label))
      #expect(seen == told, "frame \(frame)")
    }
    for track in movie.tracks {
      let (first, last) = (try #require(track.frames.first), try #require(track.frames.last))
      #expect(track.frames == Array(first...last))
      #expect(track.daughters.count == (track.divisionFrame == nil ? 0 : 2))
      if let frame = track.divisionFrame { #expect(frame == last + 1) }
      for daughter in track.daughters {
        let daughter = movie.tracks[daughter - 1]
        #expect(daughter.parent == track.label)
        #expect(daughter.frames.first == track.divisionFrame)
      }
    }
  }

  @Test(arguments: 0..<10) func `each kind of event happens`(seed: Int) throws {
    let movie = try MovieSample(seed: seed, side: 200, frames: 6, count: 12)
    #expect(movie.tracks.contains { $0.divisionFrame != nil })
    #expect(movie.tracks.contains { $0.parent == nil && $0.frames.first != 0 })
    #expect(movie.tracks.contains { $0.daughters.isEmpty && $0.frames.last != 5 })
  }

  @Test func `nuclei of a long movie stop dividing where there is no more room`() throws {
    let (side, frames) = (96, 300)
    let movie = try MovieSample(seed: 1, side: side, frames: frames, count: 10)
    #expect(movie.tracks.count { $0.divisionFrame != nil } > 10)
    let size = side * side
    let labels = movie.labels.elements
    for frame in 0..<frames {
      let told = movie.tracks.filter { $0.frames.contains(frame) }
      let pixels = labels[frame * size..<(frame + 1) * size]
      #expect(Set(pixels).subtracting([0]).count == told.count, "frame \(frame)")
      #expect(pixels.count { $0 > 0 } < size * 7 / 10, "frame \(frame)")
    }
  }

  @Test func `a movie that nobody waits for is not drawn to its end`() async {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try MovieSample(seed: 1, side: 96, frames: 2, count: 3)
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
