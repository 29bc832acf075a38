// SPDX-License-Identifier: Apache-2.0
import XDP

/// What `xdpctl status` says, as text or as JSON. Documentation/json.md describes the fields.
struct StatusReport: Encodable {
    var format = 1
    var interfaces: [InterfaceStatus]
    /// Chains of this machine that lost their interfaces; missing where one interface was asked for.
    var lostChains: [LostChainStatus]?

    /// Reads what runs on the interfaces; only where there are programs of others, everything about those.
    init(_ interfaces: [Interface]) throws(XDPError) {
        var shown: [InterfaceStatus] = []
        for interface in interfaces { shown.append(try InterfaceStatus(interface)) }
        let survey = ForeignSurvey(of: shown.flatMap(\.foreign))
        for place in shown.indices { shown[place].add(survey) }
        self.interfaces = shown
    }
}

/// One interface.
struct InterfaceStatus: Encodable, Sendable {
    let name: String
    let index: UInt32
    /// "none", "chain", "foreign" or "unreadable".
    let state: String
    var mode: String?
    var chain: ChainStatus?
    var program: ProgramStatus?
    var unreadable: String?
    private var other: ForeignProgram?

    /// Programs of others, of which more can be found out.
    var foreign: [ForeignProgram] { [other].compactMap { $0 } + (chain?.foreign ?? []) }

    enum CodingKeys: CodingKey {
        case name, index, state, mode, chain, program, unreadable
    }

    /// Reads what runs on it, of a program of others only what the kernel says at once.
    init(_ interface: Interface) throws(XDPError) {
        name = interface.name
        index = interface.index
        switch try interface.sweptOccupant() {
        case .none: state = "none"
        case .chain(let active):
            state = "chain"
            mode = active.mode.rawValue
            chain = try ChainStatus(active)
        case .foreign(let foreign):
            state = "foreign"
            mode = foreign.mode.rawValue
            other = foreign
        case .unreadable(let foreign, let reason):
            state = "unreadable"
            mode = foreign.mode.rawValue
            other = foreign
            if case .newer(let version) = reason {
                unreadable = "its manifest has format \(version); use the newer xdpctl that made it"
            } else {
                unreadable = "its manifest is damaged"
            }
        }
    }

    /// Adds what was found out about the program of others, if there is one.
    mutating func add(_ survey: ForeignSurvey) {
        program = other.flatMap { other in
            survey[other].map { ProgramStatus(other, $0) }
        }
        chain?.add(survey)
    }
}
