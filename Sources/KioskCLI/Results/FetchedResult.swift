import Previews

/// What came of one job on this machine.
struct FetchedResult: Sendable {
  /// One written file.
  struct File: Sendable {
    let path: String
    /// For label images.
    var count: CellCount?
  }

  var files: [File] = []
  /// All cells of all label images; nil if the result has none.
  var count: CellCount?
  /// All spots of all frames; nil if the result has no list of spots.
  var spots: Int?
  /// The tracks of a movie.
  var lineage: LineageFile?
  /// What could not be done, in sentences.
  var remarks: [String] = []

  var hint: String? { count?.hint }

  /// `143 cells (median area 310 px)`, `70 spots`, `52 tracks, 4 divisions`
  var countText: String? {
    if let lineage {
      return [(lineage.tracks, "track"), (lineage.divisions, "division")]
        .map { $0 == 1 ? "1 \($1)" : "\($0) \($1)s" }.joined(separator: ", ")
    }
    let cells = count.map { count in
      let area = count.medianArea.map { " (median area \(Self.text($0)) px)" }
      return (count.cells == 1 ? "1 cell" : "\(count.cells) cells") + (area ?? "")
    }
    return cells ?? spots.map { $0 == 1 ? "1 spot" : "\($0) spots" }
  }

  private static func text(_ area: Double) -> String {
    area == area.rounded() ? "\(Int(area))" : "\(area)"
  }

  func jsonLine(job: String, name: String) -> JSONLine {
    JSONLine(
      "result",
      [
        "job": .text(job), "file": .text(name),
        "files": .list(files.map { .text($0.path) }),
        "cells": .integer(count?.cells),
        "spots": .integer(spots),
        "tracks": .integer(lineage?.tracks),
        "divisions": .integer(lineage?.divisions),
        "median_area_px": .number(count?.medianArea),
        "hint": .text(hint),
      ])
  }
}
