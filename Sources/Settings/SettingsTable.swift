/// Every setting there is. Parsing, `--help`, `--check-config` and the README's table come from it.
public enum SettingsTable {
  static let seconds = Setting.Kind.number(0...Double.greatestFiniteMagnitude)
  static let count = Setting.Kind.integer(1...Int.max)
  private static let port = Setting.Kind.integer(1...65535)

  public static let all: [Setting] =
    queue + delivery + redis + models + tracking + modelServer + storage
    + s3 + google + limits + callbacks + logs

  static let queue = [
    Setting(
      "QUEUE", .text, default: "predict",
      "Redis list that jobs are taken from; lower case is used. A consumer of the type zip takes its "
        + "jobs from the list of this name with -zip behind it."),
    Setting(
      "CONSUMER_TYPE", .text, default: "image", "Which consumer of the registry works on the jobs."),
    Setting(
      "HOSTNAME", .text,
      "Name of this worker, never shared by two; in Kubernetes the pod's name. "
        + "Default: host name, dash, process id."),
    Setting(
      "MAX_CONCURRENT_JOBS", .integer(1...256), default: "1", "Jobs worked on at a time."),
    Setting(
      "JOB_TIMEOUT", seconds, default: "0",
      "Seconds a job may take before it fails; 0 for no limit."),
    Setting(
      "SHUTDOWN_TIMEOUT", seconds, default: "570",
      "Seconds that running jobs get to finish after SIGTERM, before they go back to the queue."),
  ]

  public static let delivery = [
    Setting(
      "LEASE_TIME", .number(1...86400), default: "30",
      "Seconds without a sign of life after which a running job is another worker's."),
    Setting(
      "JOB_HEARTBEAT_INTERVAL", .number(0.1...3600), default: "10",
      "Seconds between signs of life of running jobs; at most a third of LEASE_TIME."),
    Setting(
      "REAP_INTERVAL", .number(0.1...3600), default: "5",
      "Seconds between looks for jobs of lost workers."),
    Setting(
      "LIMBO_TIME", seconds, default: "600",
      "Seconds that a job is left alone which something took out of its worker's list."),
    Setting(
      "STALL_AFTER", seconds, default: "900",
      "Seconds without progress after which a running job goes to another worker; 0 for never."),
    Setting(
      "MAX_DELIVERIES", count, default: "3", "Workers a job may lose before it is given up."),
    Setting(
      "JOB_MAX_ATTEMPTS", count, default: "3",
      "Executions of a job that fails for reasons that may pass."),
    Setting(
      "JOB_RETRY_BASE", seconds, default: "2",
      "Longest pause before a job's second execution, in seconds; it doubles each time."),
    Setting(
      "JOB_RETRY_CAP", seconds, default: "300",
      "Longest pause before any execution of a job, in seconds."),
    Setting(
      "RESULT_TTL", .number(1...1e9), default: "259200",
      "Seconds that a done job is kept whose client set no time."),
    Setting(
      "FAILURE_TTL", .number(1...1e9), default: "604800",
      "Seconds that a failed job is kept whose client set no time."),
    Setting(
      "EXPIRE_TIME", .number(1...1e9), default: "3600",
      "Seconds that the jobs of an archive's files are kept after that of the archive."),
    Setting("DEAD_LETTER_MAX", count, default: "10000", "Failed jobs that are listed."),
  ]

  static let redis = [
    Setting(
      "REDIS_HOST", .text, default: "redis-master",
      "Host of Redis or of its Sentinels; several as host[:port], comma-separated."),
    Setting("REDIS_PORT", port, default: "6379", "Port of Redis, or that of Sentinel (26379)."),
    Setting(
      "REDIS_SENTINEL_MASTER", .text,
      "Name of the primary among those the Sentinels watch. "
        + "Default: mymaster, or the first by name."),
    Setting(
      "REDIS_SENTINEL_USERNAME", .text, "User name for the Sentinels, if not that for Redis."),
    Setting(
      "REDIS_SENTINEL_PASSWORD", .text, "Password for the Sentinels, if not that for Redis.",
      isSecret: true),
    Setting(
      "REDIS_TIMEOUT", .number(0.05...3600), default: "3",
      "Longest pause between tries to reconnect, in seconds; behind Sentinels at most 0.5."),
    Setting("REDIS_USERNAME", .text, "User name, where Redis has access control lists."),
    Setting("REDIS_PASSWORD", .text, "Password.", isSecret: true),
    Setting("REDIS_DB", .integer(0...Int.max), default: "0", "Number of the database."),
    Setting("REDIS_TLS", .boolean, default: "false", "Whether to connect by TLS."),
    Setting(
      "REDIS_TLS_CA_FILE", .text,
      "Certificates (PEM) to trust; the system's without it."),
    Setting("REDIS_TLS_CERT_FILE", .text, "Client certificate (PEM), with REDIS_TLS_KEY_FILE."),
    Setting("REDIS_TLS_KEY_FILE", .text, "Private key (PEM) of the client certificate."),
  ]

  static let models = [
    Setting(
      "NUCLEAR_MODEL", .model, default: "NuclearSegmentation:6",
      "Model for the first slot of a job's channels."),
    Setting(
      "CYTOPLASM_MODEL", .model, default: "CytoplasmSegmentation:5",
      "Model for the second slot of a job's channels."),
    Setting(
      "PHASE_MODEL", .model, default: "PhaseCytoSegmentation:0",
      "Model for the third slot of a job's channels."),
    Setting(
      "MULTIPLEX_MODEL", .model, default: "MultiplexSegmentation:9",
      "Model of mesmer jobs, for images of a nuclear and a membrane channel."),
    Setting("MESMER_MODEL", .model, "The same by its newer name, which wins."),
    Setting(
      "MESMER_COMPARTMENT", .choice(["whole-cell", "nuclear", "both"]), default: "whole-cell",
      "What mesmer jobs label that do not say."),
    Setting("POLARIS_MODEL", .model, default: "SpotDetection:3", "Model that finds spots."),
    Setting(
      "POLARIS_THRESHOLD", .number(0...1), default: "0.95",
      "How likely a spot must be to count as one."),
    Setting(
      "POLARIS_SCALE", .number(0.001...1000), default: "0.38",
      "Scale of the images of polaris jobs that do not say."),
    Setting(
      "POLARIS_CLIP", .boolean, default: "false",
      "Whether the darkest 0.01 % and brightest 0.1 % of an image's pixels are cut off before spots "
        + "are looked for."),
    Setting(
      "NEIGHBORHOOD_ENCODER", .model, default: "NuclearTrackingNE:6",
      "Model of tracking jobs that describes each cell of a movie."),
    Setting(
      "TRACKING_MODEL", .model, default: "NuclearTrackingInf:6",
      "Model of tracking jobs that compares tracks with the cells of the next frame."),
    Setting("CALIBAN_MODEL", .model, "The same by its newer name, which wins."),
    Setting(
      "SCALE_DETECT_ENABLED", .boolean, default: "false",
      "Whether a model finds the scale of images whose job gives none; otherwise it is 1."),
    Setting(
      "SCALE_DETECT_MODEL", .model, default: "ScaleDetection:1", "Model that finds the scale."),
    Setting(
      "LABEL_DETECT_ENABLED", .boolean, default: "false",
      "Whether a model finds what an image shows (0 nuclei, 1 cells, 2 phase contrast) where the job "
        + "gives neither label nor channels; otherwise it is nuclei."),
    Setting(
      "LABEL_DETECT_MODEL", .model, default: "LabelDetection:1",
      "Model that finds what an image shows."),
  ]

  static let tracking = [
    Setting(
      "SEGMENTATION_QUEUE", .text, default: "predict",
      "Redis list of the jobs that segment the frames of movies; lower case is used."),
    Setting(
      "TRACK_FILE", .boolean, default: "false",
      "Whether the result of a tracking job also has a track file (.trk) of movie, labels and lineage."
    ),
    Setting(
      "MAX_DISTANCE", .number(0...1e6), default: "50",
      "Pixels between the middles of cells of a movie that are neighbours."),
    Setting(
      "TRACK_LENGTH", .integer(1...1000), default: "8",
      "Frames of a track that the model sees."),
    Setting(
      "BIRTH", .number(0...1), default: "0.99",
      "What it costs that a track begins, where matches cost 0 to 1."),
    Setting("DEATH", .number(0...1), default: "0.99", "What it costs that a track ends."),
    Setting(
      "DIVISION", .number(0...1), default: "0.9",
      "How likely it must be that a new cell is the daughter of one before."),
    Setting(
      "APPEARANCE_DIM", .integer(1...512), default: "32",
      "Rows and columns of the pictures of cells that the model sees."),
    Setting(
      "CROP_MODE", .choice(["resize", "fixed"]), default: "resize",
      "Whether those pictures are stretched to that size or cut out in it."),
    Setting(
      "CALIBAN_NORM", .boolean, default: "true",
      "Whether pictures that are cut out show nothing but their cell, in normalised brightness."),
  ]

  static let modelServer = [
    Setting("TF_HOST", .text, default: "tf-serving", "Host of TensorFlow Serving."),
    Setting("TF_PORT", port, default: "8500", "gRPC port of TensorFlow Serving."),
    Setting(
      "TF_MAX_BATCH_SIZE", count, default: "64",
      "Images of TF_MIN_MODEL_SIZE squared sent in one call; larger models get smaller batches."),
    Setting(
      "TF_MIN_MODEL_SIZE", count, default: "128", "Model size that TF_MAX_BATCH_SIZE speaks of."),
    Setting("TF_MAX_IN_FLIGHT", .integer(1...1024), default: "4", "Predict calls at a time."),
    Setting("TF_CONNECTIONS", .integer(1...64), default: "2", "gRPC connections kept open."),
    Setting(
      "TF_CONNECTION_MAX_AGE", seconds, default: "120",
      "Seconds after which a connection is replaced, to spread load; 0 for never."),
    Setting(
      "TF_WAIT_TIMEOUT", seconds, default: "0",
      "Seconds to wait for a model server that is away; 0 for no limit."),
    Setting("GRPC_TIMEOUT", .number(0.001...86400), default: "30", "Seconds one call may take."),
    Setting(
      "GRPC_BACKOFF", seconds, default: "3", "Seconds before the first repetition of a call."),
    Setting(
      "GRPC_KEEPALIVE_TIME", seconds, default: "20",
      "Seconds between pings while a call is under way; 0 for none."),
    Setting(
      "GRPC_COMPRESSION", .choice(["none", "gzip"]), default: "none",
      "Compression of requests; images gain little from it."),
    Setting("MAX_RETRY", .integer(0...1000), default: "5", "Repetitions of a failing call."),
    Setting(
      "METADATA_EXPIRE_TIME", seconds, default: "30",
      "Seconds that what a model's inputs look like is remembered."),
  ]

  static let limits = [
    Setting(
      "STORAGE_ZIP_MAX_MEMBERS", count, default: "10000",
      "Most files and folders in an archive of images; of files at most 10000."),
    Setting(
      "STORAGE_ZIP_MAX_MIB", count, default: "16384",
      "Most that an archive of images may unpack to, in MiB; also not more than 200 times its size or "
        + "64 MiB."),
    Setting("MAX_IMAGE_HEIGHT", count, default: "2048", "Most rows of an image."),
    Setting("MAX_IMAGE_WIDTH", count, default: "2048", "Most columns of an image."),
    Setting("MAX_IMAGE_FRAMES", count, default: "60", "Most frames of a stack."),
    Setting(
      "MAX_SCALE", .number(1...1000), default: "10", "Largest scale a job may ask for."),
    Setting(
      "MIN_SCALE", .number(0.001...1),
      "Smallest scale a job may ask for. Default: 1 / MAX_SCALE."),
  ]

  static let callbacks = [
    Setting(
      "CALLBACK_SECRET", .text, "Signs callbacks (HMAC-SHA256); unsigned without it.",
      isSecret: true),
    Setting(
      "CALLBACK_ALLOW_PRIVATE", .text,
      "Addresses, ranges, hosts and ports that callbacks may go to although they are not public, "
        + "comma-separated."),
    Setting(
      "CALLBACK_CA_FILE", .text,
      "Certificates (PEM) to trust for callbacks; the system's without it."),
    Setting(
      "CALLBACK_TIMEOUT", .number(0.1...600), default: "10", "Seconds for one try of a callback."),
    Setting(
      "CALLBACK_MAX_ATTEMPTS", .integer(1...100), default: "12",
      "Tries before a callback is given up."),
  ]

  static let logs = [
    Setting(
      "LOG_LEVEL", .text, default: "INFO",
      "DEBUG, INFO, WARN, ERROR or CRITICAL; anything else means DEBUG."),
    Setting(
      "LOG_FORMAT", .choice(["json", "text"]), default: "json",
      "json, or text as the Python service wrote it."),
    Setting(
      "TMPDIR", .text, default: "/tmp", "Folder for the files of running jobs."),
  ]
}
