// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// What this kernel gives to XDP.
struct KernelReport: Encodable, Sendable {
    struct FeatureStatus: Encodable, Sendable {
        let name: String
        let group: String
        let title: String
        let since: String
        let support: String
        let reason: String?
        let note: String?
    }

    struct MapTypeStatus: Encodable, Sendable {
        let type: UInt32
        let name: String
        let since: String
        let support: String
        let reason: String?
    }

    struct HelperStatus: Encodable, Sendable {
        let id: UInt32
        let name: String
        let since: String
        let support: String
        let reason: String?
        /// Whether the kernel has it, for whatever programs.
        let exists: Bool?
    }

    struct KernelFunctionStatus: Encodable, Sendable {
        let name: String
        let module: String?
        let since: String?
        let support: String
        let reason: String?
        /// Whether the kernel has it, for whatever programs.
        let exists: Bool?
    }

    let format = 1
    /// As uname(2) says.
    let release: String
    let machine: String
    let features: [FeatureStatus]
    let mapTypes: [MapTypeStatus]
    let helpers: [HelperStatus]
    let kernelFunctions: [KernelFunctionStatus]

    init(_ survey: KernelSurvey) {
        var name = utsname()
        uname(&name)
        release = withUnsafeBytes(of: name.release) { Self.text($0) }
        machine = withUnsafeBytes(of: name.machine) { Self.text($0) }
        features = survey.features.map {
            FeatureStatus(
                name: $0.feature.rawValue, group: $0.feature.group.rawValue, title: $0.feature.title,
                since: $0.feature.since, support: $0.support.word, reason: $0.support.reason, note: $0.note)
        }
        mapTypes = survey.mapTypes.map {
            MapTypeStatus(
                type: $0.type.rawValue, name: $0.name, since: $0.since, support: $0.support.word,
                reason: $0.support.reason)
        }
        helpers = survey.helpers.map {
            HelperStatus(
                id: $0.helper.id, name: $0.helper.name, since: $0.helper.since, support: $0.support.word,
                reason: $0.support.reason, exists: $0.exists)
        }
        kernelFunctions = survey.kernelFunctions.map {
            KernelFunctionStatus(
                name: $0.name, module: $0.module, since: $0.since, support: $0.support.word,
                reason: $0.support.reason, exists: $0.exists)
        }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
