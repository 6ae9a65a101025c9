import Arrays
import Previews
import TestSupport
import Testing

@Suite(.computing) struct LabelPictureTests {
  private func color(of label: Int32) -> [UInt8] {
    if label == 0 { return [0, 0, 0] }
    let color = LabelColors.color(of: label)
    return [color.red, color.green, color.blue]
  }

  @Test func `every label has its colour and the background is black`() throws {
    let labels = NDArray<Int32>(shape: [2, 3], elements: [0, 1, 2, 13, .max, .min])
    let picture = try LabelPicture.draw(labels)
    #expect(picture.shape == [2, 3, 3])
    for (i, label) in labels.elements.enumerated() {
      #expect((0..<3).map { picture.elements[3 * i + $0] } == color(of: label))
    }
  }

  @Test func `a large image is scaled down without mixing labels`() throws {
    let labels = NDArray<Int32>(uninitialized: [90, 120]) { output in
      for i in output.indices { output[i] = i % 120 < 60 ? 1 : 2 }
    }
    let picture = try LabelPicture.draw(labels, maximumPixels: 30 * 40)
    #expect(picture.shape == [30, 40, 3])
    for x in 0..<40 { #expect((0..<3).map { picture[7, x, $0] } == color(of: x < 20 ? 1 : 2)) }
  }

  @Test(arguments: [[0, 5], [4], [2, 2, 2]])
  func `what is no image is refused`(shape: [Int]) {
    #expect(throws: ArrayError.self) { try LabelPicture.draw(NDArray(shape: shape)) }
  }
}
