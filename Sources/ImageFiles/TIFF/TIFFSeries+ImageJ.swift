import Arrays

/// What ImageJ writes into the first page's description: lines of `key=value`.
struct ImageJDescription {
  private static let keys: Set<Substring> = ["frames", "slices", "channels", "images", "order"]
  private var values: [Substring: Substring] = [:]

  init?(_ description: String) {
    guard description.hasPrefix("ImageJ=") || description.hasPrefix("SCIFIO=") else { return nil }
    // Line by line: there may be millions of lines that are not for us.
    var rest = description[...]
    while !rest.isEmpty {
      let line = rest.prefix { !$0.isNewline }
      rest = rest[line.endIndex...].dropFirst()
      guard let mark = line.firstIndex(of: "=") else { continue }
      let (key, value) = (line[..<mark].trimmed, line[line.index(after: mark)...])
      if Self.keys.contains(key), !value.contains("=") { values[key] = value.trimmed }
    }
  }

  /// An extent; 1 when missing, nil when it makes no sense.
  func extent(_ key: Substring) -> Int? {
    guard let text = values[key] else { return 1 }
    guard let value = Int(text), value >= 1, value <= 1 << 31 else { return nil }
    return value
  }

  /// The axes of the stack, slowest first.
  var axes: String {
    switch values["order"]?.lowercased() {
    case "ctz": "ZTC"
    case "zct": "TCZ"
    case "ztc": "CTZ"
    case "tcz": "ZCT"
    case "tzc": "CZT"
    default: "TZC"
    }
  }
}

extension TIFFSeries {
  /// A hyperstack as ImageJ and its imitators describe it.
  ///
  /// - Returns: nil when the description does not fit the file, which then is a plain stack.
  init?(
    _ description: ImageJDescription, in handle: TIFFHandle, _ pages: [TIFFPage]
  ) throws(ImageFileError) {
    guard let frames = description.extent("frames"), let slices = description.extent("slices"),
      var channels = description.extent("channels"), let declared = description.extent("images"),
      let key = pages.first
    else { return nil }

    let stacked = frames.multipliedReportingOverflow(by: slices)
    guard !stacked.overflow else { return nil }
    var images = stacked.partialValue
    // Bio-Formats declares a pixel's samples as channels.
    let hasPlanarChannels = key.isPlanar && key.samples == channels
    let hasSampleChannels =
      !key.isPlanar && key.samples == channels && declared == stacked.partialValue
    if channels > 1 && !hasPlanarChannels {
      if hasSampleChannels {
        channels = 1
      } else {
        let product = images.multipliedReportingOverflow(by: channels)
        guard !product.overflow else { return nil }
        images = product.partialValue
      }
    }
    if images == 1 && pages.count > 1 { images = pages.count }

    let extents: [Character: Int] = ["T": frames, "Z": slices, "C": channels]
    var axes = description.axes
    if hasPlanarChannels && channels > 1 { axes.removeAll { $0 == "C" } }
    var shape = axes.map { extents[$0] ?? 1 }
    guard let known = shape.checkedElementCount, images % known == 0,
      let planes = try Self.planes(images, from: pages, in: handle)
    else { return nil }
    if images > known {
      shape.insert(images / known, at: 0)
      axes = "I" + axes
    }
    self.init(shape: shape + key.shape, axes: axes + key.axes, key: key, planes: planes)
    squeeze()
  }
}

extension Substring {
  var trimmed: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
