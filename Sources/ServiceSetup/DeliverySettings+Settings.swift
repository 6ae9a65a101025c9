import JobQueue
import Settings

extension DeliverySettings {
  /// What consumers and those who change their queues go by: to be the same for all of a queue.
  ///
  /// Nil if `values` holds a problem, which is then reported there.
  package init?(from values: inout SettingValues) {
    let lease = values.duration("LEASE_TIME")
    let beat = values.duration("JOB_HEARTBEAT_INTERVAL")
    guard beat * 3 <= lease else {
      values.report(
        "JOB_HEARTBEAT_INTERVAL",
        "\(beat) is more than a third of LEASE_TIME, \(lease): a job would be taken from its worker "
          + "after a single heartbeat that is late")
      return nil
    }
    self.init(
      leaseTime: lease, heartbeatInterval: beat, reapInterval: values.duration("REAP_INTERVAL"),
      limboTime: values.duration("LIMBO_TIME"), stallTime: values.limit("STALL_AFTER"),
      jobTimeout: values.limit("JOB_TIMEOUT"), crashLimit: values.integer("MAX_DELIVERIES"),
      retries: RetrySchedule(
        maximumAttempts: values.integer("JOB_MAX_ATTEMPTS"),
        base: values.duration("JOB_RETRY_BASE"), cap: values.duration("JOB_RETRY_CAP")),
      resultLifetime: values.duration("RESULT_TTL"),
      failureLifetime: values.duration("FAILURE_TTL"),
      deadLetterLimit: values.integer("DEAD_LETTER_MAX"))
  }
}
