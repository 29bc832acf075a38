// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

extension InterfaceFeatures {
    /// Asks by a short real attachment of a program that passes everything, in native mode, and reads what the kernel
    /// says as ``read(of:)`` does.
    ///
    /// A card may reset itself for it, and lose packets and its link for a moment. The program hangs on a link that
    /// ends with this process. Throws ``XDPError/Kind/refused`` where a program is on the hook already. Needs CAP_BPF
    /// and CAP_NET_ADMIN.
    public static func probe(_ interface: Interface) throws(XDPError) -> InterfaceFeatures {
        guard let current = try interface.refreshed() else {
            throw XDPError(.failed, "\(interface.name) cannot be probed", because: "it is gone")
        }
        try FeatureProbe.refuse(current)
        let outcome = try FeatureProbe(current).run()
        return try FeatureReader.wrap("What \(interface.name) gives to XDP cannot be read") {
            () throws(NetlinkError) in
            var reader = try FeatureReader()
            var facts = try reader.facts(of: current.index)
            facts.probe = outcome
            return InterfaceFeatures(facts)
        }
    }

    /// What follows from a real attachment.
    mutating func takeProbe(_ outcome: ProbeOutcome) {
        guard let refusal = outcome.singleBuffer else {
            native = .supported
            features[.basic] = .supported
            singleBuffer = SingleBuffer(atPresentMTU: .supported, largestMTU: outcome.largestMTU)
            evidence.append("native: a program was attached for a moment")
            return
        }
        if refusal.saysNoNativeMode {
            native = .unsupported
            features[.basic] = .unsupported
            singleBuffer = SingleBuffer(atPresentMTU: .unsupported, kernelMessage: refusal.kernelMessage)
            evidence.append("native: the kernel refused a program: \(refusal.text)")
            return
        }
        evidence.append("native: the driver refused a program without frags: \(refusal.text)")
        singleBuffer = SingleBuffer(atPresentMTU: .unsupported, kernelMessage: refusal.text)
        if outcome.takesFragments == true {
            native = .supported
            features[.basic] = .supported
            features[.receiveFragments] = .supported
            evidence.append("native: a program built as xdp.frags was attached for a moment")
        } else if native != .supported {
            native = .unknown("the driver refuses programs now: \(refusal.text)")
        }
    }
}

/// Attaches programs that pass everything for a moment.
///
/// Each hangs on a bpf_link that has no pin: if the process is killed in between, the link goes with its descriptor.
struct FeatureProbe {
    private let interface: Interface
    private var what: String { "\(interface.name) cannot be probed" }

    init(_ interface: Interface) {
        self.interface = interface
    }

    /// A program on the hook must not be disturbed.
    static func refuse(_ interface: Interface) throws(XDPError) {
        guard let running = interface.link.xdp else { return }
        let mode = AttachMode(running.mode)
        throw XDPError(
            .refused, "\(interface.name) is not probed",
            because: "program \(running.programID) runs on it in \(mode) mode",
            remedy: mode == .native
                ? "That answers whether it has a native mode; `xdpctl features \(interface.name)` shows the rest"
                : "Take it off first; only then another mode can be tried")
    }

    func run() throws(XDPError) -> ProbeOutcome {
        var outcome = ProbeOutcome()
        outcome.singleBuffer = try attach(frags: false) { outcome.take($0) }
        if let refusal = outcome.singleBuffer, !refusal.saysNoNativeMode {
            outcome.takesFragments = try attach(frags: true) { outcome.takeBits($0) } == nil
        }
        return outcome
    }

    /// Attaches, looks, takes off. Returns why the kernel refused it.
    private func attach(
        frags: Bool, whileAttached look: (Observation) -> Void
    ) throws(XDPError) -> ProbeOutcome.Refusal? {
        guard let program = try program(frags: frags) else {
            return .init(errno: .invalidArgument, kernelMessage: "this kernel has no xdp.frags")
        }
        let before = observe()
        do throws(Errno) {
            let link = try XDPLink(attaching: program, toInterface: interface.index, mode: .native)
            look(observe().compared(to: before))
            withExtendedLifetime(link) {}
            return nil
        } catch {
            switch error {
            case .notPermitted, .permissionDenied:
                throw XDPError(
                    .failed, what, because: error.description,
                    remedy: Capability.remedy(for: [.networkAdministration, .bpf]))
            case .resourceBusy, .fileExists:
                throw XDPError(
                    .refused, "\(interface.name) is not probed",
                    because: "somebody else attached a program meanwhile",
                    remedy: "`xdpctl status \(interface.name)` shows it")
            default:
                // A link's creation gives a number only. Netlink is asked for the words, and refuses as the link did.
                return .init(
                    errno: error,
                    kernelMessage: AttachExplanation.extack(
                        supportsFrags: frags, interface.index, .native))
            }
        }
    }

    /// Nil where this kernel has no programs with frags.
    private func program(frags: Bool) throws(XDPError) -> Program? {
        var image = ProgramImage.passing("xdpctl_probe")
        image.supportsFrags = frags
        do throws(BPFError) {
            return try Program.load(image).take()
        } catch {
            if frags, error.errno == .invalidArgument { return nil }
            throw XDPError(error, during: what)
        }
    }

    /// What the kernel says at one moment.
    struct Observation: Sendable {
        var maximumMTU: UInt32?
        var peerMaximumMTU: UInt32?
        var bits: NetdevDevice.Features?
        /// What fell since before.
        var limit: UInt32?

        func compared(to before: Observation) -> Observation {
            var result = self
            let pairs = [(maximumMTU, before.maximumMTU), (peerMaximumMTU, before.peerMaximumMTU)]
            result.limit = pairs.compactMap { now, then in
                guard let now, now < then ?? .max else { return nil }
                return now
            }.min()
            return result
        }
    }

    private func observe() -> Observation {
        guard var reader = try? FeatureReader(), let facts = try? reader.facts(of: interface.index) else {
            return Observation()
        }
        return Observation(
            maximumMTU: facts.link.maximumMTU, peerMaximumMTU: facts.peerMaximumMTU,
            bits: facts.netdev?.features)
    }
}

extension ProbeOutcome {
    fileprivate mutating func take(_ observation: FeatureProbe.Observation) {
        largestMTU = observation.limit
        takeBits(observation)
    }

    fileprivate mutating func takeBits(_ observation: FeatureProbe.Observation) {
        whileRunning = observation.bits
    }
}
