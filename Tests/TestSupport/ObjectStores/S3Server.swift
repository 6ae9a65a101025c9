import Foundation
import Synchronization

/// An S3 server on a free port, with a folder and a bucket.
public final class S3Server: Sendable {
  public let program: S3Program
  public let port: Int
  /// `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
  public let endpoint: String
  public let certificates: TestCertificates?
  public let process: ChildProcess

  public let region = "us-east-1"
  /// Made at the start. Tests that share a server use keys of their own.
  public let bucket = S3Server.bucket
  public let accessKeyID = S3Server.accessKeyID
  public let secretAccessKey = S3Server.secretAccessKey

  /// SeaweedFS only, with the same secret: may read and write objects but list nothing.
  public static let objectsAccessKeyID = "AKIDOBJECTSONLY"
  public static let bucket = "kiosk-tests"
  public static let accessKeyID = "AKIDKIOSKTESTS"
  public static let secretAccessKey = "secret/of+the=tests"

  private let folder: TemporaryFolder

  /// Starts a server of the caller's own.
  ///
  /// - Parameter certificates: for HTTPS, made for `localhost`.
  public static func start(
    _ program: S3Program, certificates: TestCertificates? = nil
  ) async throws -> S3Server {
    for _ in 0..<5 {
      let ports = try (0..<program.portCount).map { _ in try RefusingPort() }.map(\.number)
      let folder = try TemporaryFolder()
      let child = try await ChildProcess.start(
        program.path, program.arguments(folder, ports: ports, certificates: certificates),
        // Away from the settings of whoever runs the tests.
        environment: ["HOME": folder.path], workingDirectory: folder.path,
        leavings: [folder.path] + program.leavings(ports: ports))
      let server = S3Server(program, ports[0], folder, child, certificates)
      do {
        try await server.waitUntilReady()
        return server
      } catch {
        let log = await server.log
        try? await server.stop()
        // Another process took a port after it was found free.
        if log.contains("address already in use") { continue }
        throw TestSupportError("\(program.testDescription) does not start: \(error)\n\(log)")
      }
    }
    throw TestSupportError("no free ports for \(program.testDescription) in 5 attempts")
  }

  private init(
    _ program: S3Program, _ port: Int, _ folder: TemporaryFolder, _ process: ChildProcess,
    _ certificates: TestCertificates?
  ) {
    (self.program, self.port, self.folder, self.process) = (program, port, folder, process)
    self.certificates = certificates
    endpoint = certificates == nil ? "http://127.0.0.1:\(port)" : "https://localhost:\(port)"
  }

  /// The last of what the server said.
  public var log: String {
    get async { String(await process.status.output.suffix(10_000)) }
  }

  public func stop() async throws { try await process.stop() }

  /// Makes another bucket.
  public func makeBucket(_ name: String) async throws {
    let answer = try await curl("PUT", name)
    guard answer.status == 200 else {
      throw TestSupportError("bucket \(name) is not made: \(answer)")
    }
  }

  /// The program listens before it can store.
  private func waitUntilReady() async throws {
    try await eventually("\(program.testDescription) takes an object", within: .seconds(120)) {
      if let exit = await self.process.status.exit { throw TestSupportError("it ended: \(exit)") }
      guard let made = try? await self.curl("PUT", self.bucket), [200, 409].contains(made.status),
        try await self.curl("PUT", "\(self.bucket)/ready", body: "ready").status == 200
      else {
        try await Task.sleep(for: .milliseconds(50))
        return false
      }
      // The folder of most tests is never empty, and so never removed under an upload to it.
      return try await self.curl("PUT", "\(self.bucket)/output/stays", body: "text").status == 200
    }
  }
}

extension S3Server {
  /// The server that all tests of this process share: it takes seconds to start.
  public static func shared(_ program: S3Program) async throws -> S3Server {
    let task = sharedServers.withLock { servers in
      if let task = servers[program] { return task }
      // Not structured: the server outlives the test that needs it first.
      let task = Task.detached { try await start(program) }
      servers[program] = task
      return task
    }
    return try await task.value
  }

  private static let sharedServers = Mutex<[S3Program: Task<S3Server, any Error>]>([:])
}
