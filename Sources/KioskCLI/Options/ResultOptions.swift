import ArgumentParser

/// What to do with results.
struct ResultOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Folder for the results; made if missing.", valueName: "folder"),
    completion: .directory)
  var output = "."

  @Flag(
    help:
      "Also draw the outlines of the cells over the image, as PNG files; frames of a movie side by side."
  )
  var overlay = false

  @Flag(help: "Also draw the cells in colours, as PNG files.")
  var labels = false

  @Flag(help: "Also list the cells with area, place and brightness, as a CSV file.")
  var csv = false

  @Flag(name: .customLong("geojson"), help: "Also write the cells' outlines, as a GeoJSON file.")
  var geoJSON = false

  @Flag(name: .customLong("no-unzip"), help: "Keep result archives as they are.")
  var keepsArchives = false

  /// Whether anything is to be made of label images.
  var makesExports: Bool { exports.contains(where: \.isWanted) }

  private var exports: [(option: String, isWanted: Bool)] {
    [("--overlay", overlay), ("--labels", labels), ("--csv", csv), ("--geojson", geoJSON)]
  }

  func validate() throws {
    if keepsArchives, let export = exports.first(where: \.isWanted) {
      throw ValidationError("\(export.option) needs the unpacked result; leave out --no-unzip")
    }
    if output.isEmpty { throw ValidationError("--output is the name of a folder") }
  }
}
