// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "consume-nuclei",
  products: [.executable(name: "consume-nuclei", targets: ["ConsumeNuclei"])],
  dependencies: [
    // Elsewhere: .package(url: "https://HOST/redis-consumer.git", from: "0.1.0")
    .package(name: "redis-consumer", path: "../..")
  ],
  targets: [
    .executableTarget(
      name: "ConsumeNuclei",
      dependencies: [.product(name: "RedisConsumer", package: "redis-consumer")]),
    .testTarget(
      name: "ConsumeNucleiTests",
      dependencies: [
        "ConsumeNuclei", .product(name: "ConsumerTestSupport", package: "redis-consumer"),
      ]),
  ]
)
