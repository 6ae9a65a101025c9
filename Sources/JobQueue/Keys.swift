import RedisClient

/// The names of Redis keys. Spelled here and nowhere else.
package enum Keys {
  /// The list of jobs that one worker has in hand. Other programs count, scan and repair these
  /// lists, so nothing else may begin with `processing-`.
  package static func processing(queue: String, worker: String) -> String {
    "processing-\(queue):\(worker)"
  }

  // What is remembered of a job apart from its hash: consumers of zip archives copy that.
  package static func control(of job: String) -> String { "kiosk:job:" + job }
  /// The children that a parked job waits for: a set.
  package static func children(of job: String) -> String { "kiosk:kids:" + job }
  /// Jobs that made objects for their children in the bucket, by when they were last looked at.
  package static func objectMakers(of queue: String) -> String { "kiosk:objects:" + queue }
  /// What such a job made: a string, a line for each object's key.
  package static func objects(of job: String) -> String { "kiosk:objects-of:" + job }
  /// The last log lines of a job: a stream.
  package static func log(of job: String) -> String { "kiosk:log:" + job }

  // Sorted sets of jobs, by milliseconds since 1970 on the server's clock.
  /// Jobs in work, by the end of their lease.
  package static func leases(of queue: String) -> String { "kiosk:lease:" + queue }
  /// Scheduled jobs and those to be tried again, by when they are due.
  package static func delayed(in queue: String) -> String { "kiosk:delay:" + queue }
  /// Jobs whose entry vanished from their worker's list, by when they are looked after.
  package static func limbo(of queue: String) -> String { "kiosk:limbo:" + queue }
  /// Parents that wait for children, by when they were last looked at.
  package static func parked(in queue: String) -> String { "kiosk:parked:" + queue }
  /// Jobs that failed for good, by when.
  package static func deadLetters(of queue: String) -> String { "kiosk:dead:" + queue }

  /// What happened to jobs: a stream.
  package static func events(of queue: String) -> String { "kiosk:ev:" + queue }
  /// Counts of what happened: a hash.
  package static func statistics(of queue: String) -> String { "kiosk:stat:" + queue }
  /// Pause and limits: a hash.
  package static func configuration(of queue: String) -> String { "kiosk:cfg:" + queue }
  /// When the next job is on time under a rate limit.
  package static func rate(of queue: String) -> String { "kiosk:rate:" + queue }
  /// The channel on which keys of running jobs that are cancelled are told.
  package static func cancellations(in queue: String) -> String { "kiosk:cancel:" + queue }

  /// What a process says of itself: a hash that expires.
  package static func card(of worker: String) -> String { "kiosk:worker:" + worker }
  /// Workers that serve a queue, by when they were last heard of.
  package static func workers(of queue: String) -> String { "kiosk:workers:" + queue }
  /// The job that a repeated submission made first.
  package static func submission(_ fingerprint: String) -> String { "kiosk:dedup:" + fingerprint }
  /// Ids of callbacks by when they are due; the body of each is under ``callback(_:)``.
  package static let callbacks = "kiosk:out"
  package static func callback(_ id: String) -> String { "kiosk:out:" + id }
  /// Ids of callbacks that were given up, by when.
  package static let deadCallbacks = "kiosk:out-dead"

  /// Small data that a job's consumer keeps: a string that expires.
  package static func data(_ name: String, of job: String) -> String { "kiosk:data:\(job):\(name)" }

  /// The key of a job that another makes, the same each time: `<queue>:<name>:<32 digits>`. Holds no
  /// comma: consumers of zip archives keep children as one list with commas.
  package static func derived(
    queue: String, name: String, from maker: String, by reason: String
  ) -> String {
    "\(queue):\(name):".replacing(",", with: "_") + digest(of: maker, by: reason)
  }

  /// 32 digits, the same each time, by which what a job makes is known as its own.
  package static func digest(of maker: String, by reason: String) -> String {
    String(SHA1.hexadecimal(of: Array("\(maker)\0\(reason)".utf8)).prefix(32))
  }

  /// The list that zip archives of `queue` wait in.
  package static func zipQueue(of queue: String) -> String { queue + "-zip" }

  /// The queue whose zip archives wait in a list; nil for a list of other jobs.
  package static func queue(ofZipQueue list: String) -> String? {
    list.hasSuffix("-zip") ? String(list.dropLast(4)) : nil
  }

  /// The hash in which consumers of all kinds share what a model's inputs look like.
  package static func metadata(model: String, version: String) -> String { "\(model):\(version)" }
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
  public static let compartment = "compartment"
  /// Where the result is sent by HTTP in place of the bucket.
  public static let uploadURL = "upload_url"

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
  /// A result that there is before the job's end.
  public static let partialOutputFileName = "partial_output_file_name"
  public static let partialOutputURL = "partial_output_url"
  public static let finishedAt = "finished_at"
  public static let totalJobs = "total_jobs"
  public static let reason = "reason"
  public static let errorCode = "error_code"
  /// Why a job that goes on is held up; empty once it is not.
  public static let lastError = "last_error"
  /// How many executions failed, the last one included.
  public static let attempts = "attempts"
  /// `1` when the job ended because somebody cancelled it.
  public static let canceled = "canceled"
  /// Keys of the children, with commas between.
  public static let children = "children"
  /// Keys of the children that are done, and of the others, with commas between.
  public static let childrenDone = "children:done"
  public static let childrenFailed = "children:failed"
  /// Seconds until all children were made.
  public static let childrenUploadTime = "children_upload_time"
  /// Seconds from the last child's end to the parent's.
  public static let cleanupTime = "cleanup_time"
  /// How often somebody let the job run again after its end.
  public static let requeued = "requeued"
  /// Why children failed, by their keys: a map as forms are encoded.
  public static let failures = "failures"
}
