import Arrays
import Previews
import TestSupport
import Testing

@Suite(.computing) struct CellCountTests {
  @Test func `labels are counted, with the median of their areas`() {
    let labels = NDArray<Int32>(
      shape: [3, 4],
      elements: [
        5, 5, 0, 9,
        5, 5, 0, 9,
        5, 2, 0, 0,
      ])
    let count = CellCount(labels)
    #expect(count.cells == 3)
    #expect(count.medianArea == 2)
  }

  @Test func `an even number of cells has the mean of the two middle areas`() {
    #expect(CellCount(areas: [40, 10, 20, 30]).medianArea == 25)
  }

  @Test func `the same label in two frames is two cells`() {
    let labels = NDArray<Int32>(shape: [2, 1, 3], elements: [1, 1, 0, 1, 2, 2])
    #expect(CellCount(labels).cells == 3)
  }

  @Test(
    arguments: [
      ([], "no cells"), ([19], "small"), ([5001], "large"), ([20], nil), ([5000], nil),
    ] as [([Int], String?)])
  func `unlikely numbers come with a hint`(areas: [Int], expected: String?) {
    let hint = CellCount(areas: areas).hint
    if let expected {
      #expect(hint?.contains(expected) == true)
    } else {
      #expect(hint == nil)
    }
  }

  @Test func `an image without pixels has no cells`() {
    #expect(CellCount(NDArray<Int32>(shape: [0, 5])).cells == 0)
  }
}
