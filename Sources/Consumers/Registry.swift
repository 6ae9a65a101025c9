/// The consumer classes by the names that `CONSUMER_TYPE` may have. Add yours in one line.
public let consumers: [String: Consumer.Type] = [
  "image": ImageConsumer.self,
  "segmentation": ImageConsumer.self,
  "mesmer": MesmerConsumer.self,
  "multiplex": MesmerConsumer.self,
  "spot": SpotConsumer.self,
  "polaris": PolarisConsumer.self,
  "tracking": TrackingConsumer.self,
  "caliban": TrackingConsumer.self,
  "zip": ZipConsumer.self,
]
