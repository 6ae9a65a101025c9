import JobQueue
import RedisClient

/// Whether Redis is such that jobs are kept and handed out.
struct RedisExamination {
  let redis: RedisClient
  let settings: DeliverySettings

  /// `LMOVE`, `LPOS` and `ZRANGE ... REV`, which the scripts of the queues use.
  private static let oldestVersion = [6, 2]
  private static let slow: Duration = .milliseconds(50)
  private static let largestSkew: Duration = .seconds(5)

  /// One finding for each thing that can be looked at.
  ///
  /// - Throws: ``RedisError`` when Redis does not answer any more; `CancellationError`.
  func findings() async throws -> [Finding] {
    var findings = [try await reachability()]
    let info = try await ServerInformation(redis)
    let topology = redis.topology
    if let name = topology.sentinelName {
      let list = topology.sentinels.map(\.description).joined(separator: ", ")
      findings.append(
        topology.sentinels.count >= 3
          ? Finding(.ok, "sentinel", "\(name) at \(list)")
          : Finding(
            .warn, "sentinel", "\(name) at \(list) only",
            hint: "with fewer than three Sentinels the loss of one can prevent a failover"))
      findings.append(try await quorum())
    } else {
      findings.append(Finding(.ok, "sentinel", "none"))
    }
    findings.append(contentsOf: [info.role, info.version(atLeast: Self.oldestVersion)])
    findings.append(try await scripts())
    let directory = try await queues(&findings)
    findings += try await Permissions(redis: redis, queues: directory.queues).findings()
    findings += try await redis.settingFindings().map { finding in
      Finding(
        finding.advice == nil ? .ok : .warn,
        finding.subject == .hidden ? "settings" : finding.subject.rawValue, finding.state,
        hint: finding.advice)
    }
    findings += info.replicas
    findings.append(contentsOf: [info.saving, info.memory])
    findings.append(try await clock())
    for queue in directory.queues {
      findings += try await QueueExamination(
        queue: queue, directory: directory, redis: redis, settings: settings
      ).findings()
    }
    return findings
  }

  /// The queues there are; where they cannot be found, that is a finding.
  private func queues(_ findings: inout [Finding]) async throws -> QueueDirectory {
    do {
      return try await QueueDirectory.read(redis)
    } catch let error as RedisError where error.code == .rejected {
      findings.append(
        Finding(.warn, "queues", error.reason, hint: "permit SCAN to have queues looked at"))
      return QueueDirectory()
    }
  }

  /// Whether the Sentinels could bring about a failover now.
  private func quorum() async throws -> Finding {
    let quorums = try await redis.quorums()
    let problems = quorums.compactMap { quorum in
      quorum.problem.map { "\(quorum.sentinel): \($0)" }
    }
    guard !problems.isEmpty else {
      return Finding(.ok, "quorum", "\(quorums.count) Sentinels reach enough of the others")
    }
    // Those that are left may be enough.
    return Finding(
      problems.count < quorums.count ? .warn : .fail, "quorum", problems.joined(separator: "; "),
      hint:
        "start the Sentinels that are away, or let them reach each other: too few of them make no "
        + "failover")
  }

  private func reachability() async throws -> Finding {
    var times: [Duration] = []
    for _ in 0..<5 {
      let start = ContinuousClock.now
      try await redis.send(RedisCommand("PING", idempotent: true))
      times.append(start.duration(to: .now))
    }
    let median = times.sorted()[times.count / 2]
    let address = redis.topology.primary ?? redis.configuration.endpoints.first
    let place = address.map { " at \($0)" } ?? ""
    let state = "answers\(place) in \(median.millisecondText)"
    return median < Self.slow
      ? Finding(.ok, "redis", state)
      : Finding(.warn, "redis", state, hint: "run consumers nearer to Redis, or look at its load")
  }

  /// Tries to run what changes nothing.
  private func scripts() async throws -> Finding {
    do {
      try await redis.eval(RedisScript("return 1"), idempotent: true)
      return Finding(.ok, "scripts", "permitted")
    } catch let error as RedisError where error.code == .rejected {
      return Finding(
        .fail, "scripts", error.reason,
        hint: "permit EVAL and EVALSHA to this user: every change of a queue is a script")
    }
  }

  /// Nothing is decided by local clocks, but times of jobs are shown by them.
  private func clock() async throws -> Finding {
    let before = Timestamp.now.microseconds
    let server = try await redis.serverTime() * 1000
    let local = before + (Timestamp.now.microseconds - before) / 2
    let skew = Duration.microseconds(abs(server - local))
    let state = "differs from this machine's by \(skew.millisecondText)"
    return skew < Self.largestSkew
      ? Finding(.ok, "clock", state)
      : Finding(.warn, "clock", state, hint: "set the clocks, or times of jobs will mislead")
  }
}

extension Duration {
  fileprivate var millisecondText: String {
    let milliseconds = self / .milliseconds(1)
    return milliseconds < 1000
      ? "\((milliseconds * 100).rounded() / 100) ms" : shortText
  }
}
