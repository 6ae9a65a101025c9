extension MovieSample {
  /// The tracks by their labels, as the `lineage.json` of tracking jobs.
  package var lineage: String {
    func text(_ number: Int?) -> String { number.map(String.init) ?? "null" }
    let members = tracks.map { track in
      "\"\(track.label)\": {\"label\": \(track.label), \"frames\": \(track.frames), "
        + "\"daughters\": \(track.daughters), \"capped\": \(!track.daughters.isEmpty), "
        + "\"frame_div\": \(text(track.divisionFrame)), \"parent\": \(text(track.parent))}"
    }
    return "{\(members.joined(separator: ", "))}"
  }
}
