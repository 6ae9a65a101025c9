// What a consumer takes and returns, `Job` and `JobStatus`, comes with the classes that it inherits from.
@_exported import JobQueue
