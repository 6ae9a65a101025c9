import ArgumentParser
import Samples

struct SampleCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Write synthetic images, and what is in them.",
    discussion: """
      For trying out and measuring: images are drawn at random, so what a job should find is known.

      nuclei  one channel; labels
      plate   an archive of four images of nuclei; another of their labels
      tissue  nuclei and membranes; labels of whole cells and of nuclei
      movie   nuclei that move, divide, appear and vanish; labels and lineage
      spots   spots between pixels; a table of their places

      Images are TIFF files with a page for each channel or frame. In labels 0 is background; those of a \
      movie stay with a nucleus. The table and the lineage are as those of results.

      Example: kiosk sample movie -o samples --seed 7 --frames 30
      """)

  @Argument(help: ArgumentHelp("nuclei, plate, tissue, movie or spots.", valueName: "kind"))
  var kind: SampleKind
  @OptionGroup(title: "Sample") var sample: SampleOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws { try sample.check(for: kind) }

  func run(_ console: Console) async throws {
    let folder = try ResultFolder(sample.output)
    let unfinished = try ResultFolder.makeFolder(in: sample.output)
    defer { ResultFolder.removeFolder(unfinished) }
    for file in try kind.files(sample) {
      try Task.checkCancellation()
      let part = "\(unfinished)/\(file.name)"
      try file.write(part)
      let path = try folder.move(part, to: file.name)
      console.result(
        console.isJSON
          ? JSONLine(
            "sample",
            [
              "kind": .text(kind.rawValue), "seed": .integer(sample.seed), "file": .text(path),
              "content": .text(file.content), "objects": .integer(file.objects),
            ]
          ).text : path)
    }
  }
}
