/// The parts of a job that are timed and shown. Their names are those of the metrics.
public enum JobStage: String, Sendable, CaseIterable {
  case download, decode, preprocess, predict, postprocess, encode, upload

  /// Which share of the `progress` field the stage covers, in percent.
  var progress: ClosedRange<Double> {
    switch self {
    case .download: 0...5
    case .decode: 5...8
    case .preprocess: 8...15
    case .predict: 15...75
    case .postprocess: 75...92
    case .encode: 92...96
    case .upload: 96...99
    }
  }
}
