// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The C++ libraries behind gRPC. Named one by one: `pkgConfig: "grpc++"` prints megabytes of
/// warnings.
let grpcLibraries: [LinkerSetting] =
  ["grpc++", "grpc", "gpr", "protobuf", "absl_synchronization"].map { .linkedLibrary($0) }

let package = Package(
  name: "redis-consumer",
  products: [
    .executable(name: "consume-redis-events", targets: ["ConsumeRedisEvents"]),
    .executable(name: "kiosk", targets: ["KioskCLI"]),
    .executable(name: "kiosk-model-server", targets: ["ModelServer"]),
    // For packages with consumers of their own; see docs/custom-consumer.md.
    .library(name: "RedisConsumer", targets: ["RedisConsumer"]),
    .library(name: "ConsumerTestSupport", targets: ["ConsumerTestSupport"]),
  ],
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
    .systemLibrary(name: "CCrypto"),
    .systemLibrary(name: "CCurl"),
    .systemLibrary(name: "CDeflate"),
    .systemLibrary(name: "CHiredis"),
    .systemLibrary(name: "CJPEG"),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CPNG"),
    .systemLibrary(name: "CTIFF"),
    .systemLibrary(name: "CZip"),
    .systemLibrary(name: "CZlib"),

    // C of our own.
    .target(name: "CChecksums"),

    // C++ behind one C header each.
    .target(
      name: "CTensorFlowServing",
      cxxSettings: [.headerSearchPath("generated")],
      linkerSettings: grpcLibraries),
    .target(
      name: "CModelServer",
      dependencies: ["CTensorFlowServing"],
      cxxSettings: [
        .headerSearchPath("../CTensorFlowServing"),
        .headerSearchPath("../CTensorFlowServing/generated"),
      ],
      linkerSettings: grpcLibraries),

    // Images.
    .target(name: "Arrays", swiftSettings: swiftSettings),
    .target(name: "ImageAlgorithms", dependencies: ["Arrays"], swiftSettings: swiftSettings),
    .target(
      name: "ImageFiles",
      dependencies: ["Arrays", "CDeflate", "CJPEG", "CPNG", "CTIFF", "CZip", "CZlib"],
      swiftSettings: swiftSettings),
    .target(name: "Previews", dependencies: ["Arrays"], swiftSettings: swiftSettings),
    .target(
      name: "Samples", dependencies: ["Arrays", "ImageAlgorithms"], swiftSettings: swiftSettings),

    // Where and how often work runs.
    .target(name: "Executors", swiftSettings: swiftSettings),
    .target(name: "Retrying", swiftSettings: swiftSettings),

    // What logs and messages must not say.
    .target(name: "Redaction", swiftSettings: swiftSettings),

    // The world outside.
    .target(
      name: "RedisClient",
      dependencies: [
        "CCrypto", "CHiredis",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .target(name: "CurlClient", dependencies: ["CCurl", "Retrying"], swiftSettings: swiftSettings),
    .target(
      name: "Buckets",
      dependencies: [
        "CChecksums", "CCrypto", "CLinux", "CurlClient", "CZlib", "Executors", "Redaction",
        "Retrying",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "Serving",
      dependencies: [
        "Arrays", "CTensorFlowServing", "Retrying",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "ModelServing", dependencies: ["Arrays", "CModelServer", "Serving"],
      swiftSettings: swiftSettings),

    // Jobs.
    .target(
      name: "JobQueue", dependencies: ["RedisClient"],
      resources: [
        "cancel", "claim", "expire", "fail", "finish", "heartbeat", "park", "purge", "reap",
        "reconcile",
        "recover", "release", "requeue", "submit", "update", "Library/caller", "Library/canceling",
        "Library/claiming", "Library/ending", "Library/holding", "Library/jobs",
      ].map { .embedInCode("Scripts/\($0).lua") },
      swiftSettings: swiftSettings),
    .target(
      name: "Consumers",
      dependencies: [
        "Arrays", "Buckets", "Executors", "ImageAlgorithms", "ImageFiles", "JobQueue", "Previews",
        "Redaction", "Retrying", "Serving", .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "Callbacks",
      dependencies: [
        "CCrypto", "CurlClient", "JobQueue", "RedisClient", "Retrying",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ],
      resources: ["callback_claim", "callback_requeue", "callback_settle"].map {
        .embedInCode("Scripts/\($0).lua")
      },
      swiftSettings: swiftSettings),

    // Executables and their wiring.
    .target(name: "Settings", swiftSettings: swiftSettings),
    .target(
      name: "Telemetry",
      dependencies: ["Redaction", .product(name: "Logging", package: "swift-log")],
      swiftSettings: swiftSettings),
    .target(
      name: "ServiceSetup",
      dependencies: ["Buckets", "JobQueue", "RedisClient", "Serving", "Settings", "Telemetry"],
      swiftSettings: swiftSettings),
    .target(
      name: "ConsumerMain",
      dependencies: [
        "CLinux", "Callbacks", "Consumers", "CurlClient", "ImageAlgorithms", "ImageFiles",
        "ServiceSetup",
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "RedisConsumer",
      dependencies: [
        "Arrays", "Buckets", "ConsumerMain", "Consumers", "ImageAlgorithms", "ImageFiles",
        "JobQueue", "Serving",
      ],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "ConsumeRedisEvents", dependencies: ["ConsumerMain"], swiftSettings: swiftSettings),
    .executableTarget(
      name: "KioskCLI",
      dependencies: [
        "Arrays", "Buckets", "Callbacks", "CurlClient", "Executors", "ImageFiles", "JobQueue",
        "Previews",
        "RedisClient", "Samples", "ServiceSetup", "Serving", "Settings", "Telemetry",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .target(
      name: "ClassicalModels",
      dependencies: ["Arrays", "Executors", "ImageAlgorithms", "ModelServing", "Serving"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "ModelServer",
      dependencies: [
        "ClassicalModels", "ModelServing", "Serving",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: swiftSettings),

    // Benchmarks print ratios; they are not tests.
    .executableTarget(
      name: "BucketsBenchmark", dependencies: ["Buckets", "TestSupport"],
      path: "Benchmarks/Buckets", swiftSettings: swiftSettings),
    .executableTarget(
      name: "DeliveryBenchmark",
      dependencies: [
        "Arrays", "ConsumeRedisEvents", "ImageFiles", "JobQueue", "ModelServing", "RedisClient",
        "Serving", "TestSupport",
      ],
      path: "Benchmarks/Delivery", swiftSettings: swiftSettings),
    .executableTarget(
      name: "ImageAlgorithmsBenchmark", dependencies: ["Arrays", "ImageAlgorithms"],
      path: "Benchmarks/ImageAlgorithms", swiftSettings: swiftSettings),
    .executableTarget(
      name: "ImageFilesBenchmark", dependencies: ["Arrays", "CZip", "ImageFiles"],
      path: "Benchmarks/ImageFiles", swiftSettings: swiftSettings),
    .executableTarget(
      name: "JobsBenchmark",
      dependencies: [
        "ConsumeRedisEvents", "JobQueue", "ImageFiles", "ModelServing", "TestSupport",
      ],
      path: "Benchmarks/Jobs", swiftSettings: swiftSettings),
    .executableTarget(
      name: "QueueBenchmark", dependencies: ["JobQueue", "RedisClient", "TestSupport"],
      path: "Benchmarks/Queue", swiftSettings: swiftSettings),
    .executableTarget(
      name: "RedisBenchmark", dependencies: ["RedisClient", "TestSupport"],
      path: "Benchmarks/Redis", swiftSettings: swiftSettings),
    .executableTarget(
      name: "SegmentationBenchmark",
      dependencies: [
        "Arrays", "ImageAlgorithms", "ImageFiles", "ModelServer", "Samples", "Serving",
        "TestSupport",
      ],
      path: "Benchmarks/Segmentation", swiftSettings: swiftSettings),
    .executableTarget(
      name: "ServingBenchmark", dependencies: ["Arrays", "Serving", "ModelServing"],
      path: "Benchmarks/Serving", swiftSettings: swiftSettings),

    // Tests.
    .target(
      name: "TestSupport",
      dependencies: [
        "Arrays", "CDeflate", "Executors", "RedisClient", "Samples",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      path: "Tests/TestSupport", swiftSettings: swiftSettings),
    .target(
      name: "ConsumerTestSupport",
      dependencies: [
        "Arrays", "Buckets", "ClassicalModels", "Consumers", "ImageFiles", "JobQueue",
        "ModelServing", "RedisClient", "Serving", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/ConsumerTestSupport", swiftSettings: swiftSettings),
    .testTarget(
      name: "ArraysTests", dependencies: ["Arrays", "TestSupport"], swiftSettings: swiftSettings),
    .testTarget(
      name: "ImageAlgorithmsTests", dependencies: ["Arrays", "ImageAlgorithms", "TestSupport"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "DecoderCorruption", dependencies: ["CDeflate", "CLinux", "ImageFiles"],
      path: "Tests/DecoderCorruption", swiftSettings: swiftSettings),
    .testTarget(
      name: "ImageFilesTests",
      dependencies: [
        "Arrays", "CDeflate", "CZip", "DecoderCorruption", "ImageFiles", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "SamplesTests", dependencies: ["Arrays", "ImageAlgorithms", "Samples", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "PreviewsTests", dependencies: ["Arrays", "Previews", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "KioskCLITests",
      dependencies: [
        "Arrays", "Buckets", "ImageFiles", "JobQueue", "KioskCLI", "ModelServing", "Previews",
        "RedisClient", "Samples", "Serving", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "RedisClientTests",
      dependencies: [
        "RedisClient", "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CurlClientTests", dependencies: ["CurlClient", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CallbacksTests",
      dependencies: [
        "Callbacks", "CurlClient", "RedisClient", "Retrying", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "BucketsTests",
      dependencies: [
        "Buckets", "CCrypto", "CDeflate", "CurlClient", "CZlib", "Retrying", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: swiftSettings),
    .testTarget(
      name: "RedactionTests", dependencies: ["Redaction", "TestSupport"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "RetryingTests", dependencies: ["Retrying", "TestSupport"], swiftSettings: swiftSettings
    ),
    .testTarget(
      name: "ServingTests",
      dependencies: [
        "Arrays", "CModelServer", "CTensorFlowServing", "ModelServing", "Retrying", "Serving",
        "TestSupport", .product(name: "MetricsTestKit", package: "swift-metrics"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "JobQueueTests", dependencies: ["JobQueue", "TestSupport"], swiftSettings: swiftSettings
    ),
    .testTarget(name: "SettingsTests", dependencies: ["Settings"], swiftSettings: swiftSettings),
    .testTarget(
      name: "ServiceSetupTests",
      dependencies: [
        "Buckets", "ConsumerMain", "Consumers", "ServiceSetup", "Settings", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: swiftSettings),
    .testTarget(
      name: "ConsumersTests",
      dependencies: [
        "ConsumeRedisEvents", "ConsumerTestSupport", "Consumers", "ModelServing", "RedisConsumer",
        "Samples", "Settings", "TestSupport",
        .product(name: "MetricsTestKit", package: "swift-metrics"),
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "ModelServerTests",
      dependencies: [
        "Arrays", "CTensorFlowServing", "ClassicalModels", "ImageAlgorithms", "ImageFiles",
        "ModelServer", "ModelServing", "Samples", "Serving", "TestSupport",
      ],
      swiftSettings: swiftSettings),
    .target(name: "ChaosJobs", path: "Tests/Chaos/Jobs", swiftSettings: swiftSettings),
    .executableTarget(
      name: "ChaosConsumer",
      dependencies: ["Buckets", "ChaosJobs", "ConsumerMain", "Consumers", "JobQueue"],
      path: "Tests/Chaos/Consumer", swiftSettings: swiftSettings),
    .executableTarget(
      name: "Chaos",
      dependencies: [
        "ChaosConsumer", "ChaosJobs", "ConsumeRedisEvents", "JobQueue", "ModelServer",
        "RedisClient", "TestSupport",
      ],
      path: "Tests/Chaos/Run", swiftSettings: swiftSettings),
    .testTarget(
      name: "ChaosTests", dependencies: ["Chaos", "TestSupport"], swiftSettings: swiftSettings),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "Arrays", "ClassicalModels", "ConsumeRedisEvents", "ConsumerTestSupport", "ImageFiles",
        "JobQueue", "KioskCLI", "ModelServing", "Samples", "TestSupport",
      ],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
