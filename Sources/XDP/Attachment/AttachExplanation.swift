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
        var error = XDPError(
            errno == .notPermitted ? .failed : .refused, what, because: why, remedy: remedy)
        error.checks = [finding].compactMap(\.self)
        return error
    }

    private enum Cause { case rights, offloads, queues, withoutNative, withoutOffload, size, taken, other }

    private var cause: Cause {
        let said = kernelMessage ?? ""
        if errno == .notPermitted { return .rights }
        if said.contains("LRO") || said.contains("GRO") { return .offloads }
        if said.contains("MTU") || errno == .outOfRange { return .size }
        if said.contains("queue") || said.contains(" ring") { return .queues }
        if errno == .notSupportedOnSocket { return mode == .offload ? .withoutOffload : .withoutNative }
        return errno == .fileExists || errno == .resourceBusy ? .taken : .other
    }

    private var name: String { interface.name }

    private var remedy: String? {
        switch cause {
        case .rights: Capability.remedy(for: [.networkAdministration, .bpf])
        case .offloads: "`ethtool -K \(name) lro off rx-gro-hw off`, as far as the card knows them"
        case .queues:
            "Use fewer queues, so that there are some left for XDP (`ethtool -L`; on veth the peer's tx)"
        case .withoutNative where mode == .native:
            "The driver\(interface.link.kind.map { " (\($0))" } ?? "") has no native mode; "
                + PreflightFinding.nativeRemedy
        case .withoutOffload: "The card cannot run programs itself; use native mode"
        case .size:
            "The MTU is \(interface.link.mtu): lower it (on veth the peer's), or use members that are all built as "
                + "xdp.frags"
        case .taken: "Another mode or another user has the hook: `ip -details link show dev \(name)`"
        case .withoutNative, .other: nil
        }
    }

    /// The same as the checks before a change would have it, with what the kernel said as the evidence.
    private var finding: CheckFinding? {
        let said = "the kernel: " + (kernelMessage ?? "\(errno.description) [\(errno.name)]")
        func refusal(_ rule: String, _ finding: String) -> CheckFinding {
            CheckFinding(
                rule, .error, of: name, finding, evidence: [said],
                consequence: "the kernel refuses to attach",
                remedy: remedy)
        }
        switch cause {
        case .offloads: return refusal("lro", "the card joins packets (LRO or hardware GRO)")
        case .queues: return refusal("queues", "\(name) has too few queues, or uses too many")
        case .size:
            return refusal(
                "mtu",
                "the MTU of \(name) is \(interface.link.mtu), too large for members that take packets in one "
                    + "buffer")
        case .withoutNative where mode == .native:
            let hook = PreflightSubject.Hook(
                name: name, index: interface.index, kind: interface.link.kind, mtu: interface.link.mtu)
            return PreflightFinding.withoutNative(hook, evidence: said).finding
        default: return nil
        }
    }
}
