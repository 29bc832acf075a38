// SPDX-License-Identifier: Apache-2.0
import BPF

/// What a program can do to a packet and what it uses, derived from its instructions alone.
///
/// It is sound: what is not listed cannot happen. What is listed may be impossible for reasons that the
/// instructions do not show.
public struct ProgramAnalysis: Sendable, Hashable {
    /// A place in a program.
    public struct Place: Sendable, Hashable {
        /// The instruction, from 0.
        public var instruction: Int
        /// The source line it was made from, where that is known.
        public var line: DebugInformation.Line?

        public init(instruction: Int, line: DebugInformation.Line? = nil) {
            self.instruction = instruction
            self.line = line
        }
    }

    /// A helper and where it is called.
    public struct Helper: Sendable, Hashable {
        /// The number in `enum bpf_func_id` (linux/bpf.h).
        public var id: UInt32
        public var places: [Place]

        public init(id: UInt32, places: [Place]) {
            self.id = id
            self.places = places
        }
    }

    /// A kernel function (kfunc) and where it is called.
    public struct KernelFunction: Sendable, Hashable {
        public var name: String
        /// Nil for the kernel itself.
        public var module: String?
        public var places: [Place]

        public init(name: String, module: String?, places: [Place]) {
            self.name = name
            self.module = module
            self.places = places
        }
    }

    /// Where a redirect helper sends packets.
    public enum RedirectTarget: Sendable, Hashable {
        /// `bpf_redirect` to one of these interface indices; nil where any may be meant.
        case interfaces(Set<UInt32>?)
        /// `bpf_redirect_map` with the map at this place: devmap, cpumap or xskmap by its type.
        case map(Int)
        /// `bpf_redirect_map` with a map that could not be told.
        case unknownMap
    }

    /// A redirect and where it is asked for.
    public struct Redirect: Sendable, Hashable {
        public var target: RedirectTarget
        /// The verdicts that `bpf_redirect_map` gives where the map has no entry; nil where they are not known.
        public var fallback: Set<Verdict>?
        public var places: [Place]

        public init(target: RedirectTarget, fallback: Set<Verdict>? = nil, places: [Place]) {
            self.target = target
            self.fallback = fallback
            self.places = places
        }
    }

    /// A tail call and what it can lead to.
    public struct TailCall: Sendable, Hashable {
        /// The place of the program array in the maps; nil where it could not be told.
        public var map: Int?
        /// The entries that can be meant; nil where any may be.
        public var entries: Set<UInt32>?
        public var places: [Place]

        public init(map: Int?, entries: Set<UInt32>?, places: [Place]) {
            self.map = map
            self.entries = entries
            self.places = places
        }
    }

    /// A field of the context (`struct xdp_md` in linux/bpf.h).
    public enum ContextField: String, Sendable, Hashable, Codable, CaseIterable {
        case data
        case dataEnd = "data_end"
        case dataMeta = "data_meta"
        case ingressInterface = "ingress_ifindex"
        case receiveQueue = "rx_queue_index"
        case egressInterface = "egress_ifindex"
    }

    /// What it can return itself, each with the places where that is decided. Tail calls come on top:
    /// ``tailCalls``.
    public var verdicts: [Verdict: [Place]]
    /// Where it may return a number that is no verdict, which kernels treat as aborted.
    public var otherCodes: [Place]
    /// Where what is returned comes from something unknown, such as a map: then all verdicts are assumed, but
    /// redirect only where a helper for it is reached.
    public var undecided: [Place]
    /// By number.
    public var helpers: [Helper]
    /// By name.
    public var kernelFunctions: [KernelFunction]
    /// Calls of which it could not be told what they call.
    public var unknownCalls: [Place]
    /// The places of the maps that are referred to.
    public var usedMaps: Set<Int>
    public var redirects: [Redirect]
    public var tailCalls: [TailCall]
    /// `bpf_xdp_adjust_head`.
    public var adjustsHead: [Place]
    /// `bpf_xdp_adjust_tail`.
    public var adjustsTail: [Place]
    /// `bpf_xdp_adjust_meta`.
    public var adjustsMetadata: [Place]
    /// What is read of the context; nil where the instructions do not show it (translated programs).
    public var contextFields: Set<ContextField>?
    /// Whether it may leave with `bpf_throw`.
    public var mayThrow: Bool
    /// The deepest stack, in bytes, as the verifier of the oldest supported kernel counts it; nil where a frame
    /// could not be told.
    public var stackDepth: Int?
    /// Instructions of 8 bytes.
    public var instructionCount: Int
    /// Functions, the main one included.
    public var functionCount: Int
    /// Why everything had to be assumed of the program, as a sentence; nil where it was followed. Then places
    /// are those of all instructions, reached or not.
    public var assumption: String?

    /// Everything it can return itself.
    public var verdictSet: Set<Verdict> { Set(verdicts.keys) }
}
