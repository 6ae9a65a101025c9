// All that a file with a consumer needs, behind one import. `@_exported` is how packages do this, though
// it has an underscore; without it, import these modules one by one.
@_exported import Arrays
@_exported import Buckets
@_exported import ConsumerMain
@_exported import Consumers
@_exported import ImageAlgorithms
@_exported import ImageFiles
@_exported import JobQueue
@_exported import Serving
