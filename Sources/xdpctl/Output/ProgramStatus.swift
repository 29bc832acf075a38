// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import XDP

/// A program that xdpctl did not attach.
struct ProgramStatus: Encodable, Sendable {
    struct ProcessStatus: Encodable, Sendable {
        let pid: Int32
        let command: String
        /// "program", "link".
        let holds: [String]
    }

    struct PinStatus: Encodable, Sendable {
        let path: String
        /// "program" or "link".
        let holds: String
    }

    let id: UInt32
    let name: String
    let tag: String
    let loadedByUser: UInt32
    let userName: String?
    let loadedAt: String
    let loadedSecondsAgo: Int64
    /// 0: the kernel does not tell.
    let verifiedInstructions: UInt32
    let machineCodeBytes: UInt32
    let linkID: UInt32?
    let processes: [ProcessStatus]
    let hiddenProcesses: Int
    let pins: [PinStatus]
    let morePins: Bool
    let dispatcher: DispatcherStatus?

    enum CodingKeys: String, CodingKey {
        case id, name, tag, loadedByUser, userName, loadedAt, loadedSecondsAgo, verifiedInstructions,
            machineCodeBytes, processes, hiddenProcesses, pins, morePins, dispatcher
        case linkID = "linkId"
    }

    init(_ foreign: ForeignProgram, _ details: ForeignDetails) {
        id = foreign.information.id
        name = details.functionName
        tag = foreign.information.tag
        loadedByUser = foreign.information.userID
        userName = details.userName
        loadedAt = Date(timeIntervalSince1970: Double(details.loadedAt)).formatted(.iso8601)
        loadedSecondsAgo = details.age
        verifiedInstructions = foreign.information.verifiedInstructions
        machineCodeBytes = foreign.information.machineCodeSize
        linkID = foreign.linkID
        processes = details.holders.map { holder in
            ProcessStatus(
                pid: holder.processID, command: holder.command,
                holds: (holder.holdsProgram ? ["program"] : []) + (holder.holdsLink ? ["link"] : []))
        }
        hiddenProcesses = details.hiddenProcesses
        pins = details.pins.map { PinStatus(path: $0.path, holds: $0.holdsLink ? "link" : "program") }
        morePins = details.isPinScanCut
        dispatcher = details.dispatcher.map { DispatcherStatus($0) }
    }
}

/// A dispatcher and the programs in it.
struct DispatcherStatus: Encodable, Sendable {
    struct ComponentStatus: Encodable, Sendable {
        let position: Int
        let programID: UInt32?
        let name: String?
        let tag: String?
        let linkID: UInt32?
        let priority: UInt32?
        let continuesOn: [String]?
        let supportsFrags: Bool?

        enum CodingKeys: String, CodingKey {
            case position, name, tag, priority, continuesOn, supportsFrags
            case programID = "programId"
            case linkID = "linkId"
        }
    }

    /// "libxdp" or "bpfman".
    let kind: String
    let version: UInt32
    /// Whether the version's layout is known.
    let known: Bool
    let supportsFrags: Bool?
    let components: [ComponentStatus]

    init(_ dispatcher: Dispatcher) {
        kind = dispatcher.kind.rawValue
        version = dispatcher.version
        known = dispatcher.isKnown
        supportsFrags = dispatcher.supportsFrags
        components = dispatcher.components.map { component in
            ComponentStatus(
                position: component.position, programID: component.program?.id,
                name: component.program?.name, tag: component.program?.tag,
                linkID: component.program?.linkID, priority: component.slot?.priority,
                continuesOn: component.slot?.continuing.sorted().map(\.description),
                supportsFrags: component.slot?.supportsFrags)
        }
    }
}
