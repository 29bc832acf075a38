// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Netlink
import TestSupport
import Testing
import XDP

/// One of the ways in which others load and attach a program.
struct ForeignVariant: Sendable, CustomTestStringConvertible {
    var attachType = AttachType.xdp
    var supportsFrags = false
    var byLink = true
    var mode = AttachMode.native

    static let all: [ForeignVariant] = [AttachType.xdp, .unspecified].flatMap { attachType in
        [true, false].flatMap { byLink in
            [AttachMode.native, .generic].map { mode in
                ForeignVariant(attachType: attachType, byLink: byLink, mode: mode)
            }
        }
    }

    var testDescription: String {
        "\(attachType == .xdp ? "BPF_XDP" : "0"), \(supportsFrags ? "frags, " : "")"
            + "\(byLink ? "link" : "netlink"), \(mode)"
    }

    /// The last byte of the destination MAC address, modulo 8, as the fixture `choose` has it.
    static let choose: [Instruction] = [
        .load(.word, .r2, from: .r1, offset: 0),
        .load(.word, .r3, from: .r1, offset: 4),
        .move(.r4, .r2), .add(.r4, 14), .move(.r0, 0),
        .jump(.greater, .r4, .r3, 2),
        .load(.byte, .r0, from: .r2, offset: 5),
        .alu64(.and, .r0, 7),
        .exit,
    ]
}

/// A program that somebody else put on an interface: by netlink, or held by a link as long as this lives.
final class Stranger: Sendable {
    let program: Program
    let link: XDPLink?
    let id: UInt32

    init(
        _ bench: ChainBench, _ variant: ForeignVariant = ForeignVariant(), on index: UInt32? = nil,
        _ instructions: [Instruction] = ForeignVariant.choose, name: String = "stranger"
    ) throws {
        var image = ProgramImage(name: name, instructions: instructions, license: "GPL")
        image.attachType = variant.attachType
        image.supportsFrags = variant.supportsFrags
        let program = try Program.load(image).take()
        id = try program.information().id
        let index = index ?? bench.index
        if variant.byLink {
            let copy = try Program(id: id)
            link = try bench.namespace.run {
                try XDPLink(attaching: copy, toInterface: index, mode: variant.mode)
            }
        } else {
            link = nil
            var route = try RouteSocket(in: bench.namespace)
            try route.attachXDP(
                program.descriptor.rawValue, to: index, mode: variant.mode == .native ? .native : .generic,
                expecting: .nothing)
        }
        self.program = program
    }
}

/// What is on a hook, and how: nothing may be different after what was refused or given back.
struct Hook: Equatable {
    var program: UInt32?
    var mode: AttachMode?
    /// nil for netlink.
    var link: UInt32?
}

extension ChainBench {
    /// What is on a hook, by the kernel alone.
    func hook(_ interface: String = "near") throws -> Hook {
        try namespace.run {
            let link = try Interface(named: interface).link
            guard let attachment = link.xdp else { return Hook() }
            var hook = Hook(program: attachment.programID)
            hook.mode = attachment.mode == .generic ? .generic : .native
            for id in try KernelIDs.links() {
                guard let information = try XDPLink.open(id: id)?.information() else { continue }
                if information.programID == attachment.programID, information.interfaceIndex == link.index {
                    hook.link = id
                }
            }
            return hook
        }
    }

    func adopt(
        _ interface: String = "near", as name: String? = "foreign"
    ) throws -> ChangeReport {
        try edit(interface) { editor throws(XDPError) in try editor.adopt(name: name) }
    }

    @discardableResult
    func release(
        _ interface: String = "near", _ name: String = "foreign", unloadingOthers: Bool = false
    ) throws -> ChangeReport {
        try edit(interface) { editor throws(XDPError) in
            try editor.release(name, unloadingOthers: unloadingOthers)
        }
    }
}
