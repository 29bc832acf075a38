// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What was read of a machine: all that the rules know of it.
public struct MachineFacts: Sendable, Hashable {
    /// The kernel, as `uname -r` says.
    public var release: String
    public var options: Fact<KernelConfiguration>
    /// Whether the module of tests for BPF is in the kernel now.
    public var isTestModuleLoaded = false
    public var settings: [Setting: Fact<Int64>]
    public var vulnerabilities: [String: Fact<Vulnerability>]
    public var lockdown: Fact<Lockdown>
    public var securityModules: Fact<SecurityModules>
    public var mounts: Fact<[Mount]>
    /// BPF file systems that this process can reach.
    public var fileSystems: [String]
    /// Bytes of the kernel's own type information; 0 for none.
    public var kernelTypes: Fact<Int>
    public var memory: MemoryAccounting
    public var capabilities: Set<Capability>
    /// Whether the kernel lets programs take the place of functions, and follow them (freplace, fentry).
    public var trampolines: Support
    /// Why it does not.
    public var whyNoTrampolines: String?
    /// Missing for a tool: it was not looked for. `.known(nil)`: it is not installed.
    public var tools: [Tool: Fact<ToolVersion?>]
    /// The version of libbpf that this program is linked with.
    public var libbpf: String
    public var interfaces: Fact<[InterfaceFact]>
    public var programs: Fact<LoadedPrograms>
    public var lostChains: [LostChainFact]
    public var stalePins: [StalePin]
    public var pins: PinFacts

    /// A chain that lost its interface.
    public struct LostChainFact: Sendable, Hashable {
        public var members: [String]
        public var path: String

        public init(members: [String], path: String) {
            self.members = members
            self.path = path
        }
    }

    /// What is pinned, as far as it is open to others.
    public struct PinFacts: Sendable, Hashable {
        /// Pins and directories that were looked at.
        public var count: Int
        /// Those that others than their owner can use.
        public var open: [PinFact]
        /// Why some could not be looked at.
        public var gaps: [String]

        public init(count: Int = 0, open: [PinFact] = [], gaps: [String] = []) {
            self.count = count
            self.open = open
            self.gaps = gaps
        }
    }
}
