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

    /// Asks netlink for the reason, because the creation of a link gives a number only.
    ///
    /// What is offered to the hook is not the chain but a program that passes everything and is alike in what
    /// drivers look at. If the hook takes it after all it is taken back at once; a process that is killed in
    /// between leaves packets passing, as they did, and a program that `status` names and says how to take off.
    static func extack(supportsFrags: Bool, _ index: UInt32, _ mode: AttachMode) -> String? {
        var image = ProgramImage.passing("xdpctl_probe")
        image.supportsFrags = supportsFrags
        image.offloadInterface = mode == .offload ? index : 0
        guard let program = try? Program.load(image).take() else { return nil }
        let number = program.descriptor.rawValue
        do throws(NetlinkError) {
            var socket = try RouteSocket()
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
