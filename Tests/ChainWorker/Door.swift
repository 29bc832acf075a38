// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Synchronization
import SystemPackage

/// Stands in both doors to the kernel and counts; at one number it does what it was told to.
final class Door: Sendable {
    /// What happens at the chosen call.
    enum Action: Sendable {
        case kill
        case fail(Errno)
    }

    private let count = Atomic<Int>(0)
    private let last = Mutex("")
    private let target: Int
    private let action: Action
    private let skipsLooks: Bool
    private let hasSwapped = Atomic(false)

    /// - Parameter skipsLooks: counts only calls that change something, once the hook has another program.
    init(at target: Int, _ action: Action, skipsLooks: Bool = true) {
        self.target = target
        self.action = action
        self.skipsLooks = skipsLooks
    }

    /// How many calls came.
    var calls: Int { count.load(ordering: .relaxed) }
    /// The call that was chosen.
    var chosen: String { last.withLock { $0 } }

    /// Runs `body` with this in the doors.
    func watch<T, Failure: Error>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
        KernelDoor.intercept { call in self.pass(call) }
        defer { KernelDoor.intercept(with: nil) }
        return try NetlinkDoor.withObserver({ self.pass($0) }, body)
    }

    private func pass(_ call: KernelCall) -> Errno? {
        switch call {
        case .bpf(.linkUpdate):
            defer { hasSwapped.store(true, ordering: .relaxed) }
            return pass(call.description)
        case .bpf(.objectPin), .bpf(.mapUpdate), .file: return pass(call.description)
        case .bpf(let command):
            if skipsLooks, hasSwapped.load(ordering: .relaxed) { return nil }
            // Who is killed while looking has changed no more than who is killed at the next change.
            if case .kill = action, Self.looks.contains(command) { return nil }
            return pass(call.description)
        }
    }

    /// What changes nothing. There may be a thousand of them, for whoever sweeps looks at every program.
    private static let looks: Set<BPFCommand> = [
        .mapLookup, .mapNextKey, .objectGet, .programNextID, .mapNextID, .linkNextID, .programByID, .mapByID,
        .linkByID, .btfByID, .objectInfo,
    ]

    private func pass(_ passage: NetlinkDoor.Passage) -> Errno? {
        switch passage {
        case .open(let family): return pass("open netlink \(family)")
        case .request(_, let operation, let subject, _):
            if operation.hasPrefix("attach the program") { hasSwapped.store(true, ordering: .relaxed) }
            return pass("\(operation) (\(subject))")
        }
    }

    private func pass(_ what: String) -> Errno? {
        guard count.add(1, ordering: .relaxed).newValue == target else { return nil }
        last.withLock { $0 = what }
        switch action {
        case .kill:
            kill(getpid(), SIGKILL)
            while true { pause() }
        case .fail(let error): return error
        }
    }
}
