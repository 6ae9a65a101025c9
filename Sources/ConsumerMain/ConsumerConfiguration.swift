import Buckets
import Callbacks
import Consumers
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import ServiceSetup
import Serving
import Settings

/// The settings of the daemon, ready for use.
struct ConsumerConfiguration {
  let type: Consumer.Type
  let queue: String
  let worker: String
  let redis: RedisConfiguration
  let bucket: BucketLocation
  let uploads: ResultUploads
  let settings: ConsumerSettings
  let delivery: DeliverySettings
  let callbacks: CallbackSettings
  let serving: ServingConfiguration
  let slots: Int
  let temporaryFolder: String
  let shutdownTimeout: Duration

  /// Nil if `values` holds problems, which are then reported there.
  init?(from values: inout SettingValues, registry: [String: Consumer.Type]) {
    let typeName = (values.text("CONSUMER_TYPE") ?? "").lowercased()
    let type = registry[typeName]
    if type == nil {
      values.report(
        "CONSUMER_TYPE",
        "\"\(typeName)\" is unknown; use one of \(registry.keys.sorted().joined(separator: ", "))")
    }
    let queue = values.queueName()
    let worker = values.workerName()
    let redis = values.redisConfiguration(clientName: worker ?? "consumer")
    let bucket = values.bucketLocation()
    let targets = values.uploadTargets()
    let uploadURL = targets.flatMap { values.uploadURL($0) }
    let scale = Self.scaleRange(&values)
    let delivery = DeliverySettings(from: &values)
    let callbacks = CallbackSettings(from: &values)
    guard let type, let queue, let worker, let redis, let bucket, let targets, let scale,
      let delivery,
      let callbacks,
      let nuclear = Self.model("NUCLEAR_MODEL", &values),
      let cytoplasm = Self.model("CYTOPLASM_MODEL", &values),
      let phase = Self.model("PHASE_MODEL", &values),
      let mesmer = Self.model(
        values.text("MESMER_MODEL") == nil ? "MULTIPLEX_MODEL" : "MESMER_MODEL", &values),
      let compartment = MesmerPostprocessing.Compartment(
        rawValue: (values.text("MESMER_COMPARTMENT") ?? "").lowercased()),
      let spot = Self.model("POLARIS_MODEL", &values),
      let encoder = Self.model("NEIGHBORHOOD_ENCODER", &values),
      let tracking = Self.model(
        values.text("CALIBAN_MODEL") == nil ? "TRACKING_MODEL" : "CALIBAN_MODEL", &values),
      let segmentationQueue = values.queueName("SEGMENTATION_QUEUE"),
      let scaleDetection = Self.model("SCALE_DETECT_MODEL", &values),
      let labelDetection = Self.model("LABEL_DETECT_MODEL", &values)
    else { return nil }

    self.type = type
    self.queue = type.list(for: queue)
    self.worker = worker
    self.redis = redis
    self.bucket = bucket
    uploads = ResultUploads(targets: targets, defaultURL: uploadURL)
    var spots = SpotApplication()
    spots.threshold = values.number("POLARIS_THRESHOLD")
    spots.clips = values.boolean("POLARIS_CLIP")
    settings = ConsumerSettings(
      consumerType: typeName, nuclearModel: nuclear, cytoplasmModel: cytoplasm, phaseModel: phase,
      mesmerModel: mesmer, mesmerCompartment: compartment, spotModel: spot, spots: spots,
      polarisScale: values.text("POLARIS_SCALE") ?? "",
      encoderModel: encoder, trackingModel: tracking,
      tracking: TrackingParameters(from: values), segmentationQueue: segmentationQueue,
      writesTrackFile: values.boolean("TRACK_FILE"),
      scaleDetectionModel: values.boolean("SCALE_DETECT_ENABLED") ? scaleDetection : nil,
      labelDetectionModel: values.boolean("LABEL_DETECT_ENABLED") ? labelDetection : nil,
      imageLimits: ImageLimits(
        height: values.integer("MAX_IMAGE_HEIGHT"), width: values.integer("MAX_IMAGE_WIDTH"),
        frames: values.integer("MAX_IMAGE_FRAMES"), scale: scale),
      maximumBatchSize: values.integer("TF_MAX_BATCH_SIZE"),
      minimumModelSize: values.integer("TF_MIN_MODEL_SIZE"),
      maximumCallsInFlight: values.integer("TF_MAX_IN_FLIGHT"),
      maximumInputBytes: Self.bytes(mebibytes: values.integer("STORAGE_MAX_INPUT_MIB")),
      archiveLimits: ArchiveLimits(
        members: values.integer("STORAGE_ZIP_MAX_MEMBERS"),
        bytes: Self.bytes(mebibytes: values.integer("STORAGE_ZIP_MAX_MIB"))),
      childLifetime: values.duration("EXPIRE_TIME"))
    self.delivery = delivery
    self.callbacks = callbacks
    serving = ServingConfiguration(from: values)
    slots = values.integer("MAX_CONCURRENT_JOBS")
    temporaryFolder = values.text("TMPDIR") ?? "/tmp"
    shutdownTimeout = values.duration("SHUTDOWN_TIMEOUT")
  }

  private static func scaleRange(_ values: inout SettingValues) -> ClosedRange<Double>? {
    let largest = values.number("MAX_SCALE")
    let smallest = values.text("MIN_SCALE") == nil ? 1 / largest : values.number("MIN_SCALE")
    guard smallest <= largest else {
      values.report("MIN_SCALE", "\(smallest) is larger than MAX_SCALE, \(largest)")
      return nil
    }
    return smallest...largest
  }

  private static func model(_ name: String, _ values: inout SettingValues) -> ModelName? {
    do {
      return try ModelName(values.text(name) ?? "")
    } catch {
      values.report(name, error.description)
      return nil
    }
  }

  private static func bytes(mebibytes: Int) -> Int {
    let (bytes, overflow) = mebibytes.multipliedReportingOverflow(by: 1 << 20)
    return overflow ? .max : bytes
  }
}
