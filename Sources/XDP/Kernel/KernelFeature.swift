// SPDX-License-Identifier: Apache-2.0

/// Something that a kernel can have for those who work with XDP, beside helpers, kernel functions and map types.
public enum KernelFeature: String, Sendable, Hashable, Codable, CaseIterable {
    // Instructions.
    case instructionsV1 = "mcpu-v1"
    case instructionsV2 = "mcpu-v2"
    case instructionsV3 = "mcpu-v3"
    case atomics = "fetching-atomics"
    case instructionsV4 = "mcpu-v4"
    case longJumps = "gotol"
    case mayGoto = "may-goto"
    case orderedAtomics = "load-acquire"
    case callbacks = "callbacks"
    // Loading.
    case machineCode = "jit"
    case typeInformation = "btf"
    case kernelFunctions = "kernel-functions"
    case frags = "frags"
    case deviceBound = "device-bound"
    case boundMaps = "bound-maps"
    case tailCallsInFunctions = "tail-calls-in-functions"
    case fineFrames = "16-byte-frames"
    case tokens = "token"
    // Attaching, reading, trying.
    case link = "xdp-link"
    case netdevFamily = "netdev-family"
    case sockets = "af-xdp"
    case batches = "map-batches"
    case testRuns = "test-run"
    case testRunsWithContext = "test-run-context"
    case liveFrames = "live-frames"
    // Programs of other types.
    case extensions = "freplace"
    case functionTracing = "fentry"
    case typedTracepoints = "tp-btf"
    case rawTracepoints = "raw-tracepoint"
    case trafficControl = "tc"
    case securityModule = "lsm"

    /// What belongs together in the text.
    public enum Group: String, Sendable, Hashable, Codable, CaseIterable {
        case instructions
        case loading
        case running
        case programTypes = "program-types"
    }

    public var group: Group {
        switch self {
        case .instructionsV1, .instructionsV2, .instructionsV3, .atomics, .instructionsV4, .longJumps,
            .mayGoto, .orderedAtomics, .callbacks:
            .instructions
        case .machineCode, .typeInformation, .kernelFunctions, .frags, .deviceBound, .boundMaps,
            .tailCallsInFunctions, .fineFrames, .tokens:
            .loading
        case .link, .netdevFamily, .sockets, .batches, .testRuns, .testRunsWithContext, .liveFrames: .running
        case .extensions, .functionTracing, .typedTracepoints, .rawTracepoints, .trafficControl,
            .securityModule:
            .programTypes
        }
    }

    /// The Linux release that brought it.
    public var since: String { facts.since }

    /// What it is, in a few words.
    public var title: String { facts.title }

    private var facts: (since: String, title: String) {
        switch self {
        case .instructionsV1: ("3.18", "the first instructions (clang -mcpu=v1)")
        case .instructionsV2: ("4.14", "jumps on less (clang -mcpu=v2), load everywhere")
        case .instructionsV3: ("5.1", "jumps on 32 bits (clang -mcpu=v3)")
        case .atomics: ("5.12", "atomics that fetch (also clang -mcpu=v3)")
        case .instructionsV4: ("6.6", "signed loads, moves, division (clang -mcpu=v4)")
        case .longJumps: ("6.6", "jumps beyond 32767 instructions (also -mcpu=v4)")
        case .mayGoto: ("6.9", "loops that end when a budget is spent")
        case .orderedAtomics: ("6.15", "load-acquire and store-release")
        case .callbacks: ("5.13", "addresses of functions, for bpf_loop and timers")
        case .machineCode: ("3.16", "programs become machine code")
        case .typeInformation: ("4.18", "the kernel's types in /sys/kernel/btf, for CO-RE")
        case .kernelFunctions: ("5.13", "calls of kernel functions (kfuncs)")
        case .frags: ("5.18", "packets in several buffers (xdp.frags)")
        case .deviceBound: ("6.3", "programs bound to a device, for metadata of packets")
        case .boundMaps: ("5.10", "maps that live as long as a program")
        case .tailCallsInFunctions: ("5.10", "tail calls in functions (arm64: 6.0)")
        case .fineFrames: ("6.12", "stack frames in steps of 16 bytes, not 32")
        case .tokens: ("6.9", "tokens, for BPF in user namespaces")
        case .link: ("5.9", "bpf_link for XDP, exchanged in one step")
        case .netdevFamily: ("6.3", "netlink tells what a driver can do with XDP")
        case .sockets: ("4.18", "sockets of AF_XDP")
        case .batches: ("5.6", "many map elements in one call")
        case .testRuns: ("4.12", "test runs without an interface")
        case .testRunsWithContext: ("5.15", "test runs with metadata")
        case .liveFrames: ("5.18", "test runs that send real frames")
        case .extensions: ("5.6", "take the place of functions of programs (libxdp)")
        case .functionTracing: ("5.5", "run at functions of kernel and programs (xdpdump)")
        case .typedTracepoints: ("5.5", "run at tracepoints, typed")
        case .rawTracepoints: ("4.17", "run at tracepoints, raw")
        case .trafficControl: ("4.1", "run behind XDP, and on egress")
        case .securityModule: ("5.7", "decide on system calls; in /sys/kernel/security/lsm")
        }
    }
}
