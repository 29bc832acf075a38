// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// CI sets this so that a warning fails the build there and nowhere else.
let strict: [SwiftSetting] =
    Context.environment["XDP_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let package = Package(
    name: "swift-xdp",
    products: [
        .library(name: "XDP", targets: ["XDP"]),
        .executable(name: "xdpctl", targets: ["xdpctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        // libbpf, the kernel's UAPI headers, and wrappers for what Swift cannot import.
        .systemLibrary(name: "CBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"])]),
        .target(name: "Bytecode", swiftSettings: strict),
        .target(
            name: "Netlink",
            dependencies: ["CBPF", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(
            name: "BPF",
            dependencies: [
                "CBPF", "Bytecode", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict,
            // libbpf.a needs both when the executable is linked statically.
            linkerSettings: [.linkedLibrary("elf"), .linkedLibrary("z")]),
        .target(name: "Packets", dependencies: ["CBPF"], swiftSettings: strict),
        .target(
            name: "XDP", dependencies: ["BPF", "Bytecode", "Netlink", "Packets"], swiftSettings: strict),
        // libpcap's compiler of filter expressions; tests use its interpreter too.
        .target(name: "CPcap", linkerSettings: [.linkedLibrary("pcap")]),
        // libyaml, the parser alone.
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // Files that describe chains. Only the command reads them.
        .target(
            name: "Configuration", dependencies: ["XDP", "Filter", "CYAML"], swiftSettings: strict),
        // Whether a machine is ready for XDP. Only the command asks.
        .target(
            name: "Doctor", dependencies: ["XDP", "BPF", "Netlink", "CBPF"], swiftSettings: strict),
        // Rule files, what they mean, and the compiler that makes a member of them.
        .target(
            name: "Filter", dependencies: ["XDP", "BPF", "Bytecode", "Netlink", "Packets", "CBPF"],
            swiftSettings: strict),
        // Packets at points of a chain: expressions, what records them, files.
        .target(
            name: "Capture",
            dependencies: ["Filter", "XDP", "BPF", "Bytecode", "Netlink", "Packets", "CBPF", "CPcap"],
            swiftSettings: strict),
        // Where packets go: counters, tracepoints, explanations.
        .target(
            name: "Observe",
            dependencies: ["Capture", "Filter", "XDP", "BPF", "Bytecode", "Netlink", "CBPF"],
            swiftSettings: strict),
        .executableTarget(
            name: "xdpctl",
            dependencies: [
                "XDP", "BPF", "Netlink", "Packets", "Configuration", "Doctor", "Filter", "Capture", "Observe",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // Writes the manual pages from what `xdpctl --experimental-dump-help` says.
        .executableTarget(name: "manual", path: "Packaging/Manual", swiftSettings: strict),

        // The library in a dozen lines; the tests run it.
        .executableTarget(
            name: "chain-example", dependencies: ["XDP"], path: "Examples/ChainExample",
            swiftSettings: strict),

        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "XDP", "BPF", "Bytecode", "Netlink", "Packets", "CBPF", "Filter", "Capture", "Observe",
                "TestSupport",
            ],
            path: "Benchmarks", swiftSettings: strict),

        .target(
            name: "TestSupport",
            dependencies: ["XDP", "BPF", "Bytecode", "Netlink", "Packets", "CBPF", "Filter"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "BytecodeTests", dependencies: ["Bytecode", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "NetlinkTests", dependencies: ["Netlink", "TestSupport"], swiftSettings: strict),
        // Opens damaged objects in a process of its own, because libbpf may crash on them.
        .executableTarget(
            name: "ObjectProbe", dependencies: ["XDP", "BPF", "TestSupport"], path: "Tests/ObjectProbe",
            swiftSettings: strict),
        .testTarget(
            name: "BPFTests", dependencies: ["BPF", "TestSupport", "ObjectProbe"], swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests", dependencies: ["Configuration", "Filter", "XDP", "TestSupport"],
            swiftSettings: strict),
        // libpcap's filters, which tests hold ours against.
        .target(
            name: "PcapSupport", dependencies: ["CPcap"], path: "Tests/PcapSupport", swiftSettings: strict),
        .testTarget(
            name: "FilterTests",
            dependencies: ["Filter", "XDP", "BPF", "Bytecode", "Packets", "TestSupport", "PcapSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "CaptureTests",
            dependencies: [
                "Capture", "Filter", "XDP", "BPF", "Bytecode", "Packets", "TestSupport", "PcapSupport",
            ],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "ObserveTests",
            dependencies: [
                "Observe", "Capture", "Filter", "XDP", "BPF", "Netlink", "Packets", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DoctorTests", dependencies: ["Doctor", "XDP", "BPF", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "XDPTests", dependencies: ["XDP", "Packets", "TestSupport"], exclude: ["Golden"],
            swiftSettings: strict),
        // Decoders of foreign bytes, to be fuzzed: by `make test` for some seconds, by `make fuzz` for long.
        .executableTarget(
            name: "FuzzTargets",
            dependencies: [
                "XDP", "BPF", "Bytecode", "Netlink", "Configuration", "Doctor", "Filter", "Capture",
                "Observe",
                "TestSupport",
            ],
            path: "Tests/FuzzTargets", exclude: ["Corpus"], swiftSettings: strict),
        // What a test needs a process of its own for: to be killed, or to have every kernel call fail.
        .executableTarget(
            name: "ChainWorker",
            dependencies: ["XDP", "BPF", "Bytecode", "Netlink", "Filter", "Capture", "TestSupport"],
            path: "Tests/ChainWorker", swiftSettings: strict),
        // A loader of others, with libbpf alone, for chains to take the place of what it attached.
        .executableTarget(name: "ForeignLoader", dependencies: ["CBPF"], path: "Tests/ForeignLoader"),
        .testTarget(
            name: "KernelTests",
            dependencies: [
                "XDP", "BPF", "Bytecode", "Netlink", "Packets", "CBPF", "Configuration", "Filter", "Capture",
                "Observe", "TestSupport", "PcapSupport", "xdpctl",
                "ChainWorker", "chain-example",
            ],
            exclude: ["Golden"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
