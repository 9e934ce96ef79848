// swift-tools-version: 6.2
// Targets bottom up: each may import only what stands above it here, and `tools/tidy` checks that it does.

import PackageDescription

/// Every Swift target: Swift 6 mode, each unsafe line marked, warnings are errors.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// C targets are compiled for speed in every configuration: slow kernels would tell nothing in tests.
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]

let libraries: [Target] = [
  .systemLibrary(name: "CGMP", pkgConfig: "gmp", providers: [.apt(["libgmp-dev"])]),
  .systemLibrary(name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),
  .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
  .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
  .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
  .target(name: "CSys", cSettings: strictC),
  .target(name: "CAllocator", cSettings: strictC),
  .target(
    name: "CSimdjson",
    cxxSettings: [.define("SIMDJSON_THREADS_ENABLED", to: "1"), .unsafeFlags(["-O2"])],
    linkerSettings: [.linkedLibrary("simdjson")]),
  .target(name: "CKernels", cSettings: strictC),
]

let modules: [Target] = [
  .target(
    name: "Platform", dependencies: ["CSys", "CAllocator", "CJemalloc", "CZstd", "CXXHash"],
    swiftSettings: strict),
  .target(name: "Amounts", dependencies: ["CGMP"], swiftSettings: strict),
  .target(
    name: "Columns", dependencies: ["CKernels", "Amounts", "Platform"], swiftSettings: strict),
  .target(name: "Ledger", dependencies: ["Columns", "Amounts", "Platform"], swiftSettings: strict),
  .target(
    name: "Query", dependencies: ["Ledger", "Columns", "Amounts", "Platform"], swiftSettings: strict),
  .target(
    name: "Storage", dependencies: ["Ledger", "Columns", "Amounts", "Platform"],
    swiftSettings: strict),
  .target(
    name: "Wire", dependencies: ["CSimdjson", "Query", "Ledger", "Columns", "Amounts", "Platform"],
    swiftSettings: strict),
  .target(
    name: "Server",
    dependencies: ["Wire", "Storage", "Query", "Ledger", "Columns", "Amounts", "Platform"],
    swiftSettings: strict),
  .target(name: "Samples", swiftSettings: strict),
  .target(name: "LedgerlineClient", dependencies: ["Wire", "Platform"], swiftSettings: strict),
  .target(
    name: "Commands",
    dependencies: [
      "CEdit", "Server", "LedgerlineClient", "Samples", "Wire", "Storage", "Ledger", "Amounts", "Platform",
    ],
    swiftSettings: strict),
  .executableTarget(name: "ledgerline", dependencies: ["Commands"], swiftSettings: strict),
  .executableTarget(
    name: "LedgerlineBenchmarks",
    dependencies: [
      "Server", "LedgerlineClient", "Samples", "Wire", "Storage", "Query", "Ledger", "Columns", "Amounts",
      "Platform",
    ],
    path: "Benchmarks", exclude: ["queries/peers"], swiftSettings: strict),
]

let tests: [Target] =
  [
    .target(
      name: "TestSupport", dependencies: ["Amounts", "Platform"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .target(
      name: "LedgerSupport", dependencies: ["TestSupport", "Ledger", "Columns", "Amounts", "Platform"],
      path: "Tests/LedgerSupport", swiftSettings: strict),
  ]
  + [
    ("Platform", ["Platform", "CJemalloc", "CZstd", "CXXHash"]),
    ("Amounts", ["Amounts"]),
    ("Columns", ["Columns", "Amounts", "Platform"]),
    ("Ledger", ["LedgerSupport", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Query", ["Query", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Storage", ["Storage", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Proof", ["LedgerSupport", "Storage", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Wire", ["Wire", "Query", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Server", ["Server", "Wire", "Storage", "Query", "Ledger", "Columns", "Amounts", "Platform"]),
    ("Samples", ["Samples"]),
    ("Commands", ["Commands", "CEdit", "LedgerlineClient", "Samples", "Wire", "Platform"]),
    ("Protocol", ["Server", "LedgerlineClient", "Wire", "Storage", "Ledger", "Amounts", "Platform"]),
  ].map { (name: String, dependencies: [Target.Dependency]) in
    .testTarget(
      name: "\(name)Tests", dependencies: ["TestSupport"] + dependencies,
      resources: name == "Amounts" || name == "Protocol" || name == "Storage" || name == "Wire"
        ? [.copy("Data")] : [],
      swiftSettings: strict)
  }

/// Fuzz targets, each a folder of Tests/Fuzz with what it imports. Only `tools/fuzz` builds them: they need
/// the compiler's `-sanitize=fuzzer` in all modules.
let fuzzers: [Target] =
  Context.environment["LEDGERLINE_FUZZ"] == "1"
  ? [
    ("Decoder", ["Wire"]),
    ("Facts", ["Ledger", "Amounts", "Platform"]),
    ("Framing", ["Wire"]),
    ("Requests", ["Wire", "Query", "Ledger", "Platform"]),
  ].map { (name: String, dependencies: [Target.Dependency]) in
    .executableTarget(
      name: "Fuzz\(name)", dependencies: dependencies, path: "Tests/Fuzz/\(name)", swiftSettings: strict)
  } : []

let package = Package(
  name: "ledgerline",
  targets: libraries + modules + tests + fuzzers,
  cxxLanguageStandard: .cxx17
)
