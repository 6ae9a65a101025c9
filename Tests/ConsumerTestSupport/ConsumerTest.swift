import Consumers
import Foundation
import TestSupport

/// Runs a consumer on one job, with everything around it real: a `redis-server` and a gRPC model server
/// of the job's own on free ports, a bucket and a folder for temporary files. All of it is gone
/// afterwards.
///
/// ```swift
/// let result = try await ConsumerTest.run(NucleiConsumer.self, input: image)
/// #expect(result.status == .done, "\(result)")
/// ```
/// It works with any testing library. `redis-server` and `redis-cli` must be installed.
public enum ConsumerTest {
  /// Runs a consumer class in this process.
  ///
  /// - Parameters:
  ///   - input: the image, which is put into the bucket.
  ///   - fields: of the job's hash, beside those that every producer writes.
  ///   - others: consumers of the jobs that this one submits or waits for, by queue. Each works in
  ///     this process too. Jobs for the queue `test` go to the consumer under test itself; for one of
  ///     archives, which takes those of `test-zip`, name here who takes those of `test`.
  ///   - models: what the model server answers.
  ///   - timeLimit: how long the job may take, with those it waits for.
  ///   - settings: changes those in force.
  /// - Returns: how the job ended, also when it failed.
  /// - Throws: ``TestSupportError`` when the job did not end in time, or when a program or the input
  ///   is missing.
  public static func run(
    _ type: Consumer.Type, input: URL, fields: [String: String] = [:],
    others: [String: Consumer.Type] = [:], models: TestModels = .classical,
    timeLimit: Duration = .seconds(120),
    settings: (inout ConsumerSettings) -> Void = { _ in }
  ) async throws -> ConsumerTestResult {
    var changed = ConsumerSettings()
    settings(&changed)
    let settings = changed
    return try await JobSurroundings.with(models) { surroundings in
      let worker = try ServiceInProcess(type, others: others, surroundings, settings)
      return try await surroundings.result(
        of: worker, input: input, fields: fields, timeLimit: timeLimit)
    }
  }

  /// Runs a program made with `ConsumerMain`, and so its line of registration too.
  ///
  /// - Parameters:
  ///   - program: an executable of the package under test, or a path.
  ///   - type: a name of its registry.
  ///   - environment: settings beside those that say where everything is.
  ///
  /// The others are those of ``run(_:input:fields:others:models:timeLimit:settings:)``. A job that
  /// waits for those of other queues cannot be tested so: the program serves one queue.
  public static func run(
    program: String, type: String, input: URL, fields: [String: String] = [:],
    models: TestModels = .classical, timeLimit: Duration = .seconds(120),
    environment: [String: String] = [:]
  ) async throws -> ConsumerTestResult {
    try await JobSurroundings.with(models) { surroundings in
      let worker = try await ProgramBeside(
        program.contains("/") ? program : BuiltProduct.path(program),
        surroundings.environment.merging(["CONSUMER_TYPE": type]) { $1 }
          .merging(environment) { $1 },
        folder: surroundings.work)
      return try await surroundings.result(
        of: worker, input: input, fields: fields, timeLimit: timeLimit)
    }
  }
}
