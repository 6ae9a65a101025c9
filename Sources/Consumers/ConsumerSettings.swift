import ImageAlgorithms
import ImageFiles
import Serving

/// What consumers need to know of the settings.
public struct ConsumerSettings: Sendable {
  public var consumerType: String
  /// Models for the slots of a job's `channels`, in their order.
  public var nuclearModel: ModelName
  public var cytoplasmModel: ModelName
  public var phaseModel: ModelName
  /// Finds the cells of images of a nuclear and a membrane channel.
  public var mesmerModel: ModelName
  /// What such jobs label that do not say.
  public var mesmerCompartment: MesmerPostprocessing.Compartment
  public var spotModel: ModelName
  /// How spots are found.
  public var spots: SpotApplication
  /// How much smaller the models' pixels are than those of images of polaris jobs that do not say.
  public var polarisScale: String
  /// Describes the cells of movies, and compares tracks with the cells of the next frame.
  public var encoderModel: ModelName
  public var trackingModel: ModelName
  public var tracking: TrackingParameters
  /// The queue whose jobs segment the frames of movies.
  public var segmentationQueue: String
  /// Whether the result of tracking has a track file in it.
  public var writesTrackFile: Bool
  /// Finds the scale of images whose job gives none; nil: it is 1.
  public var scaleDetectionModel: ModelName?
  /// Finds what an image shows where the job says nothing of it; nil: nuclei.
  public var labelDetectionModel: ModelName?
  public var imageLimits: ImageLimits
  /// Images of ``minimumModelSize`` squared in one call.
  public var maximumBatchSize: Int
  /// Pixels.
  public var minimumModelSize: Int
  /// Predict calls of one job at a time.
  public var maximumCallsInFlight: Int
  /// Bytes of an input file.
  public var maximumInputBytes: Int
  /// What an archive of inputs may hold.
  public var archiveLimits: ArchiveLimits
  /// How long the jobs that one was made of are kept after its end.
  public var childLifetime: Duration

  package init(
    consumerType: String = "image",
    nuclearModel: ModelName = ModelName(name: "NuclearSegmentation", version: 6),
    cytoplasmModel: ModelName = ModelName(name: "CytoplasmSegmentation", version: 5),
    phaseModel: ModelName = ModelName(name: "PhaseCytoSegmentation", version: 0),
    mesmerModel: ModelName = ModelName(name: "MultiplexSegmentation", version: 9),
    mesmerCompartment: MesmerPostprocessing.Compartment = .wholeCell,
    spotModel: ModelName = ModelName(name: "SpotDetection", version: 3),
    spots: SpotApplication = SpotApplication(), polarisScale: String = "0.38",
    encoderModel: ModelName = ModelName(name: "NuclearTrackingNE", version: 6),
    trackingModel: ModelName = ModelName(name: "NuclearTrackingInf", version: 6),
    tracking: TrackingParameters = TrackingParameters(), segmentationQueue: String = "predict",
    writesTrackFile: Bool = false,
    scaleDetectionModel: ModelName? = nil, labelDetectionModel: ModelName? = nil,
    imageLimits: ImageLimits = ImageLimits(),
    maximumBatchSize: Int = 64, minimumModelSize: Int = 128, maximumCallsInFlight: Int = 4,
    maximumInputBytes: Int = 16 << 30, archiveLimits: ArchiveLimits = ArchiveLimits(),
    childLifetime: Duration = .seconds(3600)
  ) {
    self.consumerType = consumerType
    self.nuclearModel = nuclearModel
    self.cytoplasmModel = cytoplasmModel
    self.phaseModel = phaseModel
    self.mesmerModel = mesmerModel
    self.mesmerCompartment = mesmerCompartment
    self.spotModel = spotModel
    self.spots = spots
    self.polarisScale = polarisScale
    self.encoderModel = encoderModel
    self.trackingModel = trackingModel
    self.tracking = tracking
    self.segmentationQueue = segmentationQueue
    self.writesTrackFile = writesTrackFile
    self.scaleDetectionModel = scaleDetectionModel
    self.labelDetectionModel = labelDetectionModel
    self.imageLimits = imageLimits
    self.maximumBatchSize = maximumBatchSize
    self.minimumModelSize = minimumModelSize
    self.maximumCallsInFlight = maximumCallsInFlight
    self.maximumInputBytes = maximumInputBytes
    self.archiveLimits = archiveLimits
    self.childLifetime = childLifetime
  }
}

/// What images may ask of the service.
public struct ImageLimits: Sendable {
  /// Rows.
  public var height: Int
  /// Columns.
  public var width: Int
  public var frames: Int
  public var scale: ClosedRange<Double>

  public init(
    height: Int = 2048, width: Int = 2048, frames: Int = 60, scale: ClosedRange<Double> = 0.1...10
  ) {
    self.height = height
    self.width = width
    self.frames = frames
    self.scale = scale
  }
}
