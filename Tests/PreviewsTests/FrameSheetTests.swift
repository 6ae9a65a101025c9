import Arrays
import Previews
import TestSupport
import Testing

@Suite(.computing) struct FrameSheetTests {
  @Test func `short movies are shown whole`() {
    for count in 0...FrameSheet.maximumFrames {
      #expect(FrameSheet.frames(of: count) == Array(0..<count))
    }
  }

  @Test func `of long movies the first, the last and frames between are shown`() {
    #expect(FrameSheet.frames(of: 11) == [0, 2, 4, 6, 8, 10])
    #expect(FrameSheet.frames(of: 20) == [0, 4, 8, 11, 15, 19])
    for count in (FrameSheet.maximumFrames + 1)..<100 {
      let frames = FrameSheet.frames(of: count)
      #expect(frames.first == 0 && frames.last == count - 1)
      #expect(Set(frames).count == FrameSheet.maximumFrames)
      let steps = zip(frames, frames.dropFirst()).map { $1 - $0 }
      #expect(steps.max()! - steps.min()! <= 1)
    }
  }

  @Test func `pictures fill rows of three, with grey between them`() throws {
    let pictures = (0..<4).map { NDArray<UInt8>(shape: [2, 5, 3], repeating: UInt8($0 + 1)) }
    let sheet = try FrameSheet.join(pictures)
    #expect(sheet.shape == [2 + 4 + 2, 5 + 4 + 5 + 4 + 5, 3])
    for y in 0..<8 {
      for x in 0..<23 {
        let (row, column) = (y / 6, x / 9)
        let isGap = y % 6 >= 2 || x % 9 >= 5 || row * 3 + column >= pictures.count
        #expect(
          (0..<3).map { sheet[y, x, $0] }
            == Array(repeating: isGap ? 96 : UInt8(row * 3 + column + 1), count: 3))
      }
    }
  }

  @Test func `one picture is a sheet without gaps`() throws {
    let picture = NDArray<UInt8>(shape: [2, 1, 3], elements: [1, 2, 3, 4, 5, 6])
    #expect(try FrameSheet.join([picture]) == picture)
  }

  @Test func `no pictures and those of different shapes are refused`() {
    #expect(throws: ArrayError.self) { try FrameSheet.join([]) }
    #expect(throws: ArrayError.self) {
      try FrameSheet.join([NDArray(shape: [2, 2, 3]), NDArray(shape: [2, 3, 3])])
    }
    #expect(throws: ArrayError.self) { try FrameSheet.join([NDArray(shape: [2, 2])]) }
  }
}
