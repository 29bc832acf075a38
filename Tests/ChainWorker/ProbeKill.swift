// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Synchronization
import SystemPackage
import XDP

/// A probe of an interface that is killed at one of its questions over netlink. Before it dies it says whether its
/// program was offered to the hook by then.
final class ProbeKill: Sendable {
    private let target: Int
    private let count = Atomic<Int>(0)
    private let hasOffered = Atomic(false)

    init(at target: Int) {
        self.target = target
    }

    func run(on interface: String) throws(XDPError) {
        KernelDoor.intercept { call in
            if call == .bpf(.linkCreate) { self.hasOffered.store(true, ordering: .relaxed) }
            return nil
        }
        defer { KernelDoor.intercept(with: nil) }
        try NetlinkDoor.withObserver({ _ in self.pass() }) { () throws(XDPError) in
            _ = try InterfaceFeatures.probe(Interface(named: interface))
        }
    }

    private func pass() -> Errno? {
        guard count.add(1, ordering: .relaxed).newValue == target else { return nil }
        let text = Array((hasOffered.load(ordering: .relaxed) ? "attached" : "before").utf8)
        _ = write(STDOUT_FILENO, text, text.count)
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}
