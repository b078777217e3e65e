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
//
// `@_noAllocation` and `@_noLocks` look into every function that a step calls, so that the whole
// module must be in sight, as it is in release; without threads, SwiftPM's index of a debug build
// fails.
let optimised: [SwiftSetting] =
  strict + [
    .unsafeFlags(["-O"]),
    .unsafeFlags(
      ["-wmo", "-num-threads", "2", "-disable-batch-mode"], .when(configuration: .debug)),
  ]

/// One instruction level: the sources of `Kernels`, with clang's code generation flags.
func kernels(_ name: String, _ clangFlags: [String], defines: [String] = []) -> Target {
  #if arch(x86_64)
    let levelFlags = clangFlags.flatMap { ["-Xcc", $0] }
  #else
    let levelFlags: [String] = []
  #endif
  // Loops whose length is known only at run time stay as they are written: code around the copies of
  // their bodies costs a small cell more than it saves.
  let flags = levelFlags + ["-Xllvm", "-unroll-runtime=false"]
  return .target(
    name: name,
    dependencies: ["CKernelShims"],
    path: "Sources/\(name)",
    swiftSettings: optimised + [.unsafeFlags(flags)] + defines.map { .define($0) })
}

let package = Package(
  name: "Runnel",
  products: [
    .library(name: "Runnel", targets: ["Runnel"]),
    .library(name: "RunnelTraining", targets: ["RunnelTraining"]),
    .executable(name: "runnel", targets: ["runnel"]),
  ],
  targets: [
    .target(name: "CKernelShims"),
    kernels("Kernels", ["-march=x86-64-v2"]),
    kernels("KernelsV3", ["-march=x86-64-v3"], defines: ["AVX"]),
    kernels(
      "KernelsV4",
      ["-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16", "-mprefer-vector-width=512"],
      defines: ["WIDE_REGISTERS"]),
    .target(
      name: "Runnel",
      dependencies: ["Kernels", "KernelsV3", "KernelsV4", "CKernelShims"],
      swiftSettings: optimised + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "RunnelTraining", dependencies: ["Runnel"], swiftSettings: optimised),
    .target(name: "CAllocationCount", path: "tools/allocation-count"),
    .target(name: "CMeasuring", path: "tools/measuring"),
    .target(
      name: "RunnelReference", dependencies: ["Runnel"], path: "tools/reference",
      swiftSettings: optimised),
    .target(
      name: "RunnelLab", dependencies: ["RunnelTraining"], path: "tools/lab",
      swiftSettings: optimised),
    .executableTarget(
      name: "runnel",
      dependencies: [
        "Runnel", "RunnelTraining", "RunnelLab", "RunnelReference", "CAllocationCount",
        "CMeasuring",
      ],
      path: "tools/runnel", swiftSettings: optimised),
    .executableTarget(
      name: "runnel-service", dependencies: ["Runnel"], path: "tools/examples/service",
      swiftSettings: strict),

    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    .target(
      name: "TestSupport", dependencies: ["Runnel", "RunnelReference"], path: "Tests/TestSupport",
      swiftSettings: optimised),
    .testTarget(
      name: "RunnelTests", dependencies: ["Runnel", "TestSupport", "CTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "RunnelTrainingTests", dependencies: ["Runnel", "RunnelTraining", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "RunnelLabTests", dependencies: ["RunnelLab", "RunnelTraining"], swiftSettings: strict),
    .testTarget(
      name: "ServiceTests", dependencies: ["Runnel", "TestSupport", "runnel-service"],
      swiftSettings: strict),
    .testTarget(
      name: "ToolTests", dependencies: ["Runnel", "TestSupport", "runnel"],
      swiftSettings: strict),
  ]
)
