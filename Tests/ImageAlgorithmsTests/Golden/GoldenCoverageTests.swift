import TestSupport
import Testing

@Suite(.computing) struct GoldenCoverageTests {
  private static let covered: Set = [
    "cell_tracking_app", "cytoplasm_segmentation_app", "deep_watershed", "erode_edges",
    "fill_holes", "gaussian_filter", "gaussian_kernel", "get_batch_size", "get_image_features",
    "h_maxima", "histogram_normalization", "image_dimensions_to_bxyc", "label",
    "label_detection_app", "legacy_mibi", "legacy_pixelwise", "legacy_watershed",
    "linear_sum_assignment", "match_spots_to_cells", "mesmer_app", "mesmer_postprocess",
    "mesmer_preprocess", "min_max_normalize", "normalize", "normalize_adj_matrix",
    "nuclear_segmentation_app", "peak_local_max", "percentile_threshold", "relabel_sequential",
    "remove_small_objects", "resize", "scale_detection_app", "spline_window",
    "spot_detection_app", "tile_image", "tile_input_padding", "untile_image",
    "validate_model_input", "watershed", "y_annotations_to_point_list_max",
  ]
  /// What the golden cases hold beyond this module, or beyond what it does so far.
  private static let notCovered: Set = [
    "clean_up_annotations", "get_image", "load_track_file", "save_numpy_array",
  ]

  @Test(arguments: covered.sorted())
  func `every function that is tested has cases`(function: String) {
    #expect(!Golden.cases(function).isEmpty)
  }

  @Test func `no function is left out silently`() {
    let functions = Set(Golden.all.map(\.function))
    #expect(functions.subtracting(Self.covered).subtracting(Self.notCovered).isEmpty)
    #expect(Self.covered.isDisjoint(with: Self.notCovered))
  }
}
