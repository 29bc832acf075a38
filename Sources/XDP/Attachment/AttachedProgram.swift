// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// The program on a hook, whoever put it there, and how it is held: what a change takes the place of.
final class AttachedProgram: Sendable {
    let id: UInt32
    /// Held, so that the id cannot be given to another program meanwhile.
    let program: Program
    let mode: AttachMode
    /// The link that holds the interface; nil where the program was attached by netlink.
    let linkID: UInt32?
    let interface: UInt32

    init(
        id: UInt32, program: consuming Program, mode: AttachMode, linkID: UInt32?, interface: UInt32
    ) {
        self.id = id
        self.program = program
        self.mode = mode
        self.linkID = linkID
        self.interface = interface
    }

    /// What the kernel answered to a swap.
    enum Swap: Equatable {
        case swapped
        /// Another program is active by now, or none.
        case overtaken
    }

    /// Puts another program in its place if it is still the active one.
    func swap(to other: borrowing Program) throws(BPFError) -> Swap {
        if let linkID { return try swap(to: other, of: linkID) }
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            try socket.attachXDP(
                other.descriptor.rawValue, to: interface, mode: mode.netlinkMode,
                expecting: .program(program.descriptor.rawValue))
            return .swapped
        } catch {
            // EEXIST: another program is active. EBUSY: a link holds the interface by now. ENODEV: it is gone.
            if error.errno == .fileExists || error.errno == .resourceBusy || error.errno.rawValue == 19 {
                return .overtaken
            }
            throw Self.failure(error.errno, error.kernelMessage)
        }
    }

    private func swap(to other: borrowing Program, of linkID: UInt32) throws(BPFError) -> Swap {
        guard let link = try XDPLink.open(id: linkID) else { return .overtaken }
        do throws(Errno) {
            try link.update(to: other, expecting: program)
            return .swapped
        } catch {
            // EPERM says that another program is active, or that a capability is missing; ENOLINK that the
            // link lost its interface.
            let now = try link.information()
            let isOther = now?.programID != id || now?.interfaceIndex == 0
            if isOther || error == Errno(rawValue: 67) { return .overtaken }
            throw Self.failure(error, nil)
        }
    }

    private static func failure(_ errno: Errno, _ message: String?) -> BPFError {
        BPFError(
            "exchange the program on the interface", errno: errno,
            kernelMessage: errno == .outOfRange
                ? "the interface's MTU needs packets of several buffers, which a member does not handle"
                : message,
            remedy: errno == .notPermitted
                ? Capability.remedy(for: [.networkAdministration, .bpf]) : nil)
    }

    /// Takes the program off if it is still the active one; nothing to be taken off is no error.
    func detach() throws(BPFError) {
        if let linkID {
            if let link = try XDPLink.open(id: linkID) { try link.detach() }
            return
        }
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            try socket.detachXDP(
                from: interface, mode: mode.netlinkMode, expecting: .program(program.descriptor.rawValue))
        } catch {
            if error.errno == .fileExists || error.errno == .resourceBusy || error.errno.rawValue == 19 {
                return
            }
            throw BPFError(
                "take the program off the interface", errno: error.errno, kernelMessage: error.kernelMessage,
                remedy: error.errno == .notPermitted
                    ? Capability.remedy(for: [.networkAdministration]) : nil)
        }
    }
}
