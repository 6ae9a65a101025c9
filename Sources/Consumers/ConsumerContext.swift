import Buckets
import JobQueue
import Logging
import Metrics
import Serving

/// What every consumer of a process shares.
public struct ConsumerContext: Sendable {
  public var queue: JobQueue
  public var bucket: any Bucket
  public var models: any PredictBackend
  public var settings: ConsumerSettings
  package var uploads: ResultUploads
  package var workFolder: WorkFolder
  public var logger: Logger
  public var metrics: any MetricsFactory

  package init(
    queue: JobQueue, bucket: any Bucket, models: any PredictBackend, settings: ConsumerSettings,
    uploads: ResultUploads = ResultUploads(), workFolder: WorkFolder, logger: Logger,
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {
    self.queue = queue
    self.bucket = bucket
    self.models = models
    self.settings = settings
    self.uploads = uploads
    self.workFolder = workFolder
    self.logger = logger
    self.metrics = metrics
  }
}
