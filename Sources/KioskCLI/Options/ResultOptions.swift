import ArgumentParser

/// What to do with results.
struct ResultOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Folder for the results; made if missing.", valueName: "folder"))
  var output = "."

  @Flag(help: "Also draw the outlines of the cells over the image, as PNG files.")
  var overlay = false

  @Flag(name: .customLong("no-unzip"), help: "Keep result archives as they are.")
  var keepsArchives = false

  func validate() throws {
    if overlay && keepsArchives {
      throw ValidationError("--overlay needs the unpacked result; leave out --no-unzip")
    }
    if output.isEmpty { throw ValidationError("--output is the name of a folder") }
  }
}
