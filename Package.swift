// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "redis-consumer",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // C libraries: a module map and a header each.
    .systemLibrary(name: "CHiredis"),
    .systemLibrary(name: "CLinux"),

    // Images.
    .target(name: "Arrays", swiftSettings: swiftSettings),

    // Where work runs.
    .target(name: "Executors", swiftSettings: swiftSettings),

    // The world outside.
    .target(
      name: "RedisClient",
      dependencies: [
        "CHiredis",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "Buckets",
      dependencies: ["CLinux", "Executors", .product(name: "Logging", package: "swift-log")],
      swiftSettings: swiftSettings),

    // Jobs.
    .target(
      name: "JobQueue", dependencies: ["RedisClient"],
      resources: ["claim", "finish", "heartbeat", "recover", "release", "submit", "update"].map {
        .embedInCode("Scripts/\($0).lua")
      },
      swiftSettings: swiftSettings),

    // Executables and their wiring.
    .target(
      name: "Telemetry", dependencies: [.product(name: "Logging", package: "swift-log")],
      swiftSettings: swiftSettings),
    .target(name: "Settings", swiftSettings: swiftSettings),
    .target(
      name: "ServiceSetup", dependencies: ["Buckets", "RedisClient", "Settings", "Telemetry"],
      swiftSettings: swiftSettings),

    // Tests.
    .testTarget(name: "ArraysTests", dependencies: ["Arrays"], swiftSettings: swiftSettings),
    .testTarget(name: "BucketsTests", dependencies: ["Buckets"], swiftSettings: swiftSettings),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"], swiftSettings: swiftSettings),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
