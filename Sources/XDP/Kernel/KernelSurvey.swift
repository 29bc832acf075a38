// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Synchronization

/// What this kernel gives to XDP programs and to those who load them.
///
/// Every answer is found out by trying the smallest thing that shows it, never from the kernel's version. Nothing
/// that is tried stays, and no interface that exists is touched. What is found out is remembered for the life of the
/// process, unless it is unknown.
public struct KernelSurvey: Sendable, Hashable {
    /// A feature and whether it is there.
    public struct FeatureAnswer: Sendable, Hashable {
        public let feature: KernelFeature
        public let support: Support
        /// What there is to say of it, such as why it is not there.
        public let note: String?
    }

    /// A type of maps and whether one can be made.
    public struct MapTypeAnswer: Sendable, Hashable {
        public let type: MapType
        public let name: String
        public let since: String
        public let support: Support
    }

    /// A helper and whether XDP programs can call it.
    public struct HelperAnswer: Sendable, Hashable {
        public let helper: HelperTable.Entry
        public let support: Support
        /// Whether this kernel has it, though maybe for other programs; nil where that is not known.
        public let exists: Bool?
    }

    /// A kernel function and whether XDP programs can call it.
    public struct KernelFunctionAnswer: Sendable, Hashable {
        public let name: String
        /// The module that it is in; nil for the kernel itself.
        public let module: String?
        /// The Linux release that brought it; nil where that is not known here.
        public let since: String?
        public let support: Support
        /// Whether this kernel has it, though maybe for other programs; nil where that is not known.
        public let exists: Bool?
    }

    public let features: [FeatureAnswer]
    public let mapTypes: [MapTypeAnswer]
    /// By number.
    public let helpers: [HelperAnswer]
    /// By name: all that this kernel lets XDP programs call, and those known from other kernels.
    public let kernelFunctions: [KernelFunctionAnswer]

    /// Asks for everything; takes some ten milliseconds.
    public init() {
        features = KernelFeature.allCases.map {
            FeatureAnswer(feature: $0, support: Self.support(for: $0), note: Self.note(for: $0))
        }
        mapTypes = MapTypeTrial.all.map {
            MapTypeAnswer(
                type: $0.type, name: $0.name, since: $0.since, support: Self.support(forMapType: $0.type))
        }
        helpers = HelperTable.all.map {
            HelperAnswer(
                helper: $0, support: Self.support(forHelper: $0.id), exists: HelperTrial.exists($0.id))
        }
        kernelFunctions = KernelFunctionTrial.all()
    }
}

extension KernelSurvey {
    /// Whether XDP programs can call a helper (`enum bpf_func_id`).
    public static func support(forHelper id: UInt32) -> Support {
        remembered(.helper(id)) { HelperTrial.support(id) }
    }

    /// Whether XDP programs can call a kernel function; the module is nil for the kernel itself.
    public static func support(forKernelFunction name: String, module: String? = nil) -> Support {
        remembered(.kernelFunction(name, module)) { KernelFunctionTrial.support(name, module: module) }
    }

    /// Whether maps of a type can be made.
    public static func support(forMapType type: MapType) -> Support {
        remembered(.mapType(type)) { MapTypeTrial.support(type) }
    }

    /// Whether a feature is there.
    public static func support(for feature: KernelFeature) -> Support {
        remembered(.feature(feature)) { FeatureTrial.support(feature) }
    }

    /// What there is to say of a feature beside whether it is there.
    public static func note(for feature: KernelFeature) -> String? {
        guard support(for: feature) == .unsupported else { return nil }
        return FeatureTrial.note(feature)
    }

    private enum Subject: Hashable {
        case helper(UInt32)
        case kernelFunction(String, String?)
        case mapType(MapType)
        case feature(KernelFeature)
    }

    private static let memory = Mutex<[Subject: Support]>([:])

    /// What is unknown now may be known later, with more capabilities say.
    private static func remembered(_ subject: Subject, _ find: () -> Support) -> Support {
        if let known = memory.withLock({ $0[subject] }) { return known }
        let found = find()
        if found.reason == nil { memory.withLock { $0[subject] = found } }
        return found
    }
}
