/// The names of Redis keys. Spelled here and nowhere else.
public enum Keys {
  /// The list of jobs that one worker has in hand. Other programs count, scan and repair these
  /// lists, so nothing else may begin with `processing-`.
  public static func processing(queue: String, worker: String) -> String {
    "processing-\(queue):\(worker)"
  }

  /// The list that zip archives of `queue` wait in.
  public static func zipQueue(of queue: String) -> String { queue + "-zip" }

  /// The hash in which consumers of all kinds share what a model's inputs look like.
  public static func metadata(model: String, version: String) -> String { "\(model):\(version)" }
}

/// The names of the fields of a job hash. Spelled here and nowhere else.
public enum Field {
  // Written by producers.
  public static let originalName = "original_name"
  public static let inputFileName = "input_file_name"
  public static let modelName = "model_name"
  public static let modelVersion = "model_version"
  public static let preprocessFunction = "preprocess_function"
  public static let postprocessFunction = "postprocess_function"
  public static let cuts = "cuts"
  public static let fieldSize = "field_size"
  public static let url = "url"
  public static let label = "label"
  public static let createdAt = "created_at"
  public static let identityUpload = "identity_upload"
  public static let dimensionOrder = "dimension_order"
  public static let channels = "channels"
  public static let scale = "scale"
  public static let segmentationType = "segmentation_type"

  // Written with every change.
  public static let status = "status"
  public static let updatedAt = "updated_at"
  public static let updatedBy = "updated_by"

  // Written by consumers.
  public static let identityStarted = "identity_started"
  public static let progress = "progress"
  public static let dimOrder = "dim_order"
  public static let downloadTime = "download_time"
  public static let predictionTime = "prediction_time"
  public static let postprocessTime = "postprocess_time"
  public static let uploadTime = "upload_time"
  public static let totalTime = "total_time"
  public static let predictRetries = "predict_retries"
  public static let outputFileName = "output_file_name"
  public static let outputURL = "output_url"
  public static let finishedAt = "finished_at"
  public static let totalJobs = "total_jobs"
  public static let reason = "reason"
  public static let errorCode = "error_code"
  /// Why a job that goes on is held up; empty once it is not.
  public static let lastError = "last_error"
  public static let failures = "failures"
}
