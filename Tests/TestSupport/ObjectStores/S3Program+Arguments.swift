import Foundation

extension S3Program {
  var portCount: Int { self == .seaweedFS ? 8 : 1 }

  /// - Parameter ports: the first is that of S3.
  func arguments(
    _ folder: TemporaryFolder, ports: [Int], certificates: TestCertificates?
  ) throws -> [String] {
    switch self {
    case .seaweedFS: try seaweedFS(folder, ports, certificates)
    case .rclone: try rclone(folder, ports[0], certificates)
    }
  }

  private func rclone(
    _ folder: TemporaryFolder, _ port: Int, _ certificates: TestCertificates?
  ) throws -> [String] {
    let store = folder.file("store")
    try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: false)
    var arguments = [
      "serve", "s3", store, "--addr", "127.0.0.1:\(port)", "--config", "",
      "--cache-dir", folder.file("cache"),
      "--auth-key", "\(S3Server.accessKeyID),\(S3Server.secretAccessKey)",
    ]
    if let certificates {
      arguments += ["--cert", certificates.serverFile, "--key", certificates.serverKeyFile]
    }
    return arguments
  }

  /// All of SeaweedFS's servers in one process.
  private func seaweedFS(
    _ folder: TemporaryFolder, _ ports: [Int], _ certificates: TestCertificates?
  ) throws -> [String] {
    try writeIdentities(folder.file("s3.json"))
    var options = [
      "dir": folder.path, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "filer": "true", "s3": "true",
      "s3.domainName": "localhost", "s3.localSocket": "s3.sock", "filer.localSocket": "filer.sock",
      "s3.config": folder.file("s3.json"), "s3.port.iceberg": "0", "s3.port.lance": "0",
      // It elects itself for as long as this at the start.
      "master.electionTimeout": "1s", "master.heartbeatInterval": "100ms",
      // Each bucket takes some volumes, which are files that grow.
      "master.volumeSizeLimitMB": "1024", "volume.max": "1000",
    ]
    let names = [
      "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "volume.port",
      "volume.port.grpc", "filer.port", "filer.port.grpc",
    ]
    for (name, port) in zip(names, ports) { options[name] = "\(port)" }
    if let certificates {
      options["s3.cert.file"] = certificates.serverFile
      options["s3.key.file"] = certificates.serverKeyFile
    }
    return ["-logtostderr=true", "server"] + options.map { "-\($0.key)=\($0.value)" }
  }

  /// Sockets that SeaweedFS makes outside of its folder, whatever it is told, and does not remove.
  func leavings(ports: [Int]) -> [String] {
    guard self == .seaweedFS else { return [] }
    return zip(["s3", "master", "volume", "filer"], stride(from: 1, to: ports.count, by: 2))
      .map { name, index in "/tmp/seaweedfs-\(name)-grpc-\(ports[index]).sock" }
  }

  private func writeIdentities(_ path: String) throws {
    let identity: [String: Any] = [
      "name": "tests", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
      "credentials": [
        ["accessKey": S3Server.accessKeyID, "secretKey": S3Server.secretAccessKey]
      ],
    ]
    // May read and write, but not list: what a careful administrator gives to a service.
    let objects: [String: Any] = [
      "name": "objects", "actions": ["Read", "Write"],
      "credentials": [
        ["accessKey": S3Server.objectsAccessKeyID, "secretKey": S3Server.secretAccessKey]
      ],
    ]
    let data = try JSONSerialization.data(withJSONObject: ["identities": [identity, objects]])
    try data.write(to: URL(filePath: path))
  }
}
