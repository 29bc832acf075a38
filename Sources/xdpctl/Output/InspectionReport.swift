// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What programs do and need.
struct InspectionReport: Encodable, Sendable {
    let format = 1
    let programs: [InspectedProgram]

    init(_ inspections: [ProgramInspection]) {
        programs = inspections.map { InspectedProgram($0) }
    }
}

/// A place in a program.
struct PlaceStatus: Encodable, Sendable {
    let instruction: Int
    let file: String?
    let line: UInt32?
    let text: String?

    init(_ place: ProgramAnalysis.Place) {
        instruction = place.instruction
        file = place.line.map { Terminal.clean($0.file) }
        line = place.line.map { $0.position >> 10 }
        text = place.line.map { line in
            Terminal.clean(String(line.text.drop { $0 == " " || $0 == "\t" }))
        }
    }

    static func all(_ places: [ProgramAnalysis.Place]) -> [PlaceStatus] { places.map { PlaceStatus($0) } }
}

/// Something that a program needs of the kernel.
struct KernelNeedStatus: Encodable, Sendable {
    let name: String
    /// "helper", "kernel-function", "map-type", "feature".
    let kind: String
    let since: String?
    let support: String
    let reason: String?

    init(_ need: KernelRequirement) {
        name = need.name
        kind =
            switch need.subject {
            case .helper: "helper"
            case .kernelFunction: "kernel-function"
            case .mapType: "map-type"
            case .feature: "feature"
            }
        since = need.since
        let answer = need.support()
        support = answer.word
        reason = answer.reason ?? (answer == .unsupported ? need.lack() : nil)
    }
}

/// One program.
struct InspectedProgram: Encodable, Sendable {
    struct VerdictStatus: Encodable, Sendable {
        let verdict: String
        let places: [PlaceStatus]
    }

    struct CallStatus: Encodable, Sendable {
        let name: String
        /// Of helpers.
        let id: UInt32?
        /// Of kernel functions.
        let module: String?
        let places: [PlaceStatus]
    }

    struct MapStatus: Encodable, Sendable {
        let name: String
        let type: String
        let keySize: UInt32
        let valueSize: UInt32
        let maxEntries: UInt32
        let flags: UInt32
        /// Of a loaded program's.
        let id: UInt32?
        /// Whether the program can reach code that refers to it.
        let used: Bool
        /// "variables", "redirect", "tail-calls", "data".
        let role: String
    }

    struct RedirectStatus: Encodable, Sendable {
        /// "interface", or the type of the map.
        let to: String
        let map: String?
        /// The interface indices; missing where any may be meant.
        let interfaces: [UInt32]?
        /// What is returned without an entry; missing where it is not known.
        let fallback: [String]?
        let places: [PlaceStatus]
    }

    struct TailCallStatus: Encodable, Sendable {
        let map: String?
        /// Missing where any may be meant.
        let entries: [UInt32]?
        let programs: [CalleeStatus]
        let places: [PlaceStatus]
    }

    struct CalleeStatus: Encodable, Sendable {
        let entry: UInt32
        let programID: UInt32
        let name: String
        /// What it can return, its own tail calls included; missing where something of that cannot be read.
        let verdicts: [String]?

        enum CodingKeys: String, CodingKey {
            case entry, name, verdicts
            case programID = "programId"
        }
    }

    struct AdjustmentStatus: Encodable, Sendable {
        let head: [PlaceStatus]
        let tail: [PlaceStatus]
        let metadata: [PlaceStatus]
    }

    struct RunConfigurationStatus: Encodable, Sendable {
        let priority: UInt32
        let continuesOn: [String]
    }

    struct InterfaceNeedStatus: Encodable, Sendable {
        let name: String
        let reason: String
        let places: [PlaceStatus]
    }

    let object: String?
    let section: String?
    let id: UInt32?
    let tag: String?
    let name: String
    let license: String?
    let instructions: Int
    let functions: Int
    let stackBytes: Int?
    let supportsFrags: Bool?
    let verdicts: [VerdictStatus]
    let otherCodes: [PlaceStatus]
    let undecided: [PlaceStatus]
    let mayThrow: Bool
    /// Why everything had to be assumed.
    let assumption: String?
    let helpers: [CallStatus]
    let kernelFunctions: [CallStatus]
    let unknownCalls: [PlaceStatus]
    /// Why it could not be found out what is called.
    let hidden: String?
    let maps: [MapStatus]
    let redirects: [RedirectStatus]
    let tailCalls: [TailCallStatus]
    let adjusts: AdjustmentStatus
    let contextFields: [String]?
    let runConfiguration: RunConfigurationStatus?
    let kernelNeeds: [KernelNeedStatus]
    let interfaceNeeds: [InterfaceNeedStatus]
    let notes: [String]

    init(_ inspection: ProgramInspection) {
        let code = inspection.code
        let analysis = inspection.analysis
        switch inspection.origin {
        case .object(let path, let place):
            (object, section, id, tag) = (path, Terminal.clean(place), nil, nil)
        case .loaded(let information):
            (object, section, id, tag) = (nil, nil, information.id, information.tag)
        }
        name = Terminal.clean(code.name)
        license = inspection.license.map { Terminal.clean($0) }
        instructions = analysis.instructionCount
        functions = analysis.functionCount
        stackBytes = analysis.stackDepth
        supportsFrags = code.supportsFrags
        verdicts = analysis.verdicts.sorted { $0.key < $1.key }.map {
            VerdictStatus(verdict: $0.key.description, places: PlaceStatus.all($0.value))
        }
        otherCodes = PlaceStatus.all(analysis.otherCodes)
        undecided = PlaceStatus.all(analysis.undecided)
        mayThrow = analysis.mayThrow
        assumption = analysis.assumption
        helpers = analysis.helpers.map {
            CallStatus(
                name: HelperTable.name($0.id), id: $0.id, module: nil, places: PlaceStatus.all($0.places))
        }
        kernelFunctions = analysis.kernelFunctions.map {
            CallStatus(
                name: Terminal.clean($0.name), id: nil, module: $0.module,
                places: PlaceStatus.all($0.places))
        }
        unknownCalls = PlaceStatus.all(analysis.unknownCalls)
        hidden = inspection.hidden
        maps = Self.maps(inspection)
        redirects = analysis.redirects.map { Self.redirect($0, code) }
        tailCalls = analysis.tailCalls.map { call in
            TailCallStatus(
                map: call.map.map { Self.mapName($0, code) }, entries: call.entries?.sorted(),
                programs: inspection.tailCallees.filter { $0.map == call.map }.map {
                    CalleeStatus(
                        entry: $0.entry, programID: $0.programID, name: Terminal.clean($0.name),
                        verdicts: $0.verdicts?.sorted().map(\.description))
                }, places: PlaceStatus.all(call.places))
        }
        adjusts = AdjustmentStatus(
            head: PlaceStatus.all(analysis.adjustsHead), tail: PlaceStatus.all(analysis.adjustsTail),
            metadata: PlaceStatus.all(analysis.adjustsMetadata))
        contextFields = analysis.contextFields.map { fields in
            ProgramAnalysis.ContextField.allCases.filter { fields.contains($0) }.map(\.rawValue)
        }
        runConfiguration = inspection.runConfiguration.map { configuration in
            RunConfigurationStatus(
                priority: configuration.priority,
                continuesOn: Verdict.allCases.filter {
                    configuration.continuingVerdicts.contains($0.rawValue)
                }.map(\.description))
        }
        kernelNeeds = inspection.kernelNeeds.map { KernelNeedStatus($0) }
        interfaceNeeds = inspection.interfaceNeeds.map {
            InterfaceNeedStatus(
                name: $0.kind.rawValue, reason: $0.kind.reason, places: PlaceStatus.all($0.places))
        }
        notes = inspection.notes
    }

    private static func mapName(_ place: Int, _ code: ProgramCode) -> String {
        code.maps.indices.contains(place) ? Terminal.clean(code.maps[place].name) : "map \(place)"
    }

    private static func maps(_ inspection: ProgramInspection) -> [MapStatus] {
        let code = inspection.code
        let analysis = inspection.analysis
        let redirects = Set(
            analysis.redirects.compactMap { redirect -> Int? in
                if case .map(let map) = redirect.target { map } else { nil }
            })
        let calls = Set(analysis.tailCalls.compactMap(\.map))
        // Ids of maps that existed for the inspection alone mean nothing.
        let hasIDs = if case .loaded = inspection.origin { true } else { false }
        return code.maps.enumerated().map { place, map in
            let role =
                map.isInternal
                ? "variables"
                : redirects.contains(place) ? "redirect" : calls.contains(place) ? "tail-calls" : "data"
            return MapStatus(
                name: mapName(place, code), type: map.definition.type.description,
                keySize: map.definition.keySize, valueSize: map.definition.valueSize,
                maxEntries: map.definition.maximumEntries, flags: map.definition.flags,
                id: hasIDs && code.mapIDs.indices.contains(place) ? code.mapIDs[place] : nil,
                used: analysis.usedMaps.contains(place), role: role)
        }
    }

    private static func redirect(_ redirect: ProgramAnalysis.Redirect, _ code: ProgramCode) -> RedirectStatus
    {
        let fallback = redirect.fallback?.sorted().map(\.description)
        let places = PlaceStatus.all(redirect.places)
        switch redirect.target {
        case .interfaces(let indices):
            return RedirectStatus(
                to: "interface", map: nil, interfaces: indices?.sorted(), fallback: fallback, places: places)
        case .map(let place):
            let type =
                code.maps.indices.contains(place) ? code.maps[place].definition.type.description : "map"
            return RedirectStatus(
                to: type, map: mapName(place, code), interfaces: nil, fallback: fallback, places: places)
        case .unknownMap:
            return RedirectStatus(to: "map", map: nil, interfaces: nil, fallback: fallback, places: places)
        }
    }
}
