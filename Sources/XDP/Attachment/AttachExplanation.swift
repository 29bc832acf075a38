// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// Puts a refused attachment into words.
struct AttachExplanation {
    let errno: Errno
    /// What the kernel said in words.
    let kernelMessage: String?
    let mode: AttachMode
    let interface: Interface

    /// Asks netlink for the reason, because the creation of a link gives a number only. The same program is
    /// offered for the same hook; if the hook takes it after all, it is given back at once.
    static func extack(of program: borrowing Program, _ index: UInt32, _ mode: AttachMode) -> String? {
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            let number = program.descriptor.rawValue
            try socket.attachXDP(number, to: index, mode: mode.netlinkMode, expecting: .nothing)
            try socket.detachXDP(from: index, mode: mode.netlinkMode, expecting: .program(number))
            return nil
        } catch {
            return error.kernelMessage
        }
    }

    func error(_ what: String) -> XDPError {
        var why =
            "the kernel refuses to attach to \(interface.name) in \(mode) mode: \(errno.description) [\(errno.name)]"
        if let kernelMessage { why += ": \(kernelMessage)" }
        return XDPError(errno == .notPermitted ? .failed : .refused, what, because: why, remedy: remedy)
    }

    private var remedy: String? {
        switch errno {
        case .notPermitted: Capability.remedy(for: [.networkAdministration, .bpf])
        case .notSupportedOnSocket where mode == .native:
            "The driver\(interface.link.kind.map { " (\($0))" } ?? "") has no native mode; --mode generic works "
                + "everywhere but is much slower, --mode auto chooses by itself"
        case .notSupportedOnSocket where mode == .offload:
            "The card cannot run programs itself; use native mode"
        case _ where errno == .outOfRange || kernelMessage?.contains("MTU") == true:
            "The MTU is \(interface.link.mtu): lower it (on veth the peer's), or use members that are all built as "
                + "xdp.frags"
        case .fileExists, .resourceBusy:
            "Another mode or another user has the hook: `ip -details link show dev \(interface.name)`"
        default: nil
        }
    }
}
