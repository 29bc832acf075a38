// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Packets
import Synchronization
import TestSupport
import XDP

/// Packets from `far` of a bench, more than a slow program takes, until ``end()``; all of them are handled by one processor.
final class Flood: Sendable {
    /// The processor that handles them.
    let processor: Int
    private let isOver = Atomic(false)
    private let hasEnded = Atomic(false)

    /// - Parameter milliseconds: what a packet costs.
    init(_ bench: ChainBench, costing milliseconds: Int) {
        let processor = max(0, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) - 1)
        self.processor = processor
        let thread = Thread { [self] in
            try? bench.namespace.run { [far = bench.far] in
                try OnProcessor.run(processor) { try send(to: far, milliseconds) }
            }
            hasEnded.store(true, ordering: .releasing)
        }
        thread.start()
    }

    private func send(to interface: UInt32, _ milliseconds: Int) throws {
        // Others work on this machine, too; but who watches needs a processor. The thread goes at the end, and this with it.
        var parameter = sched_param()
        parameter.sched_priority = 1
        if processor > 0 { _ = sched_setscheduler(0, Int32(SCHED_FIFO), &parameter) }
        let burst = 16
        var begin = ContinuousClock.now
        try UncheckedSender.send(.ethernet().padded(to: 60), times: burst, to: interface) {
            // The kernel handles packets within the calls that send them, or leaves them to a thread of its own, which comes
            // after this one.
            let isLeft = ContinuousClock.now - begin < .milliseconds(milliseconds * burst / 2)
            // Much shorter than that takes: it never runs out of packets.
            if isLeft { usleep(UInt32(milliseconds * burst * 250)) }
            begin = .now
            return !isOver.load(ordering: .relaxed)
        }
    }

    /// Comes back when no more are sent.
    func end() {
        isOver.store(true, ordering: .relaxed)
        _ = eventually(within: 20) { hasEnded.load(ordering: .acquiring) }
    }
}
