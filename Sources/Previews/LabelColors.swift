/// The colours of labelled cells.
///
/// A cycle of twelve, all bright enough for a dark background. Labels count in scan order, so those
/// of neighbours are often consecutive; consecutive colours lie far apart on the colour wheel.
public enum LabelColors {
  public typealias Color = (red: UInt8, green: UInt8, blue: UInt8)

  public static let count = 12

  private static let cycle: [Color] = [
    (255, 70, 70), (0, 220, 255), (255, 215, 0), (185, 105, 255), (90, 230, 60), (255, 105, 200),
    (255, 150, 30), (60, 140, 255), (205, 250, 90), (255, 150, 140), (0, 235, 160), (190, 180, 255),
  ]

  /// The colour of a label other than 0.
  public static func color(of label: Int32) -> Color {
    cycle[Int(label.magnitude) % count]
  }
}
