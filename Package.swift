// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

// Kernels, runtime and training are optimised in debug builds too: unoptimised SIMD code is
// hundreds of times slower, and tests would measure another program than users run.
let optimised: [SwiftSetting] = strict + [.unsafeFlags(["-O"])]

let package = Package(
  name: "Runnel",
  products: [
    .library(name: "Runnel", targets: ["Runnel"]),
    .library(name: "RunnelTraining", targets: ["RunnelTraining"]),
  ],
  targets: [
    .target(name: "Runnel", swiftSettings: optimised),
    .target(name: "RunnelTraining", dependencies: ["Runnel"], swiftSettings: optimised),
  ]
)
