// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Netlink
import Observe
import Packets
import TestSupport

/// What a packet costs more while the kernel's XDP tracepoints are watched, as `xdpctl monitor` does.
struct EventCosts {
    let settings: Settings

    private struct Case {
        var name: String
        var instructions: [Instruction]
        var hasEvent: Bool
    }

    func show(_ report: Report) throws {
        let namespace = try NetworkNamespace.makePrivate()
        let lines = try namespace.run { try measure() }
        report.section("Watching events: time of a packet (ns, with writing it to a TAP)")
        report.table([["packet", "not watched", "watched", "more"]] + lines)
    }

    private func measure() throws -> [[String]] {
        let source = try TAPDevice(name: "source")
        let cases = [
            Case(name: "aborted: an event", instructions: [.move(.r0, 0), .exit], hasEvent: true),
            Case(
                name: "redirected to nowhere: an event",
                instructions: [.move(.r1, 4711), .move(.r2, 0), .call(helper: 23), .exit], hasEvent: true),
            Case(name: "dropped: none", instructions: [.move(.r0, 1), .exit], hasEvent: false),
        ]
        return try cases.map { item in
            let program = try Program.load(
                ProgramImage(name: "event", instructions: item.instructions, license: "GPL")
            ).take()
            let link = try XDPLink(attaching: program, toInterface: source.index, mode: .native)
            var best = (bare: Double.infinity, watched: Double.infinity)
            for _ in 0..<settings.rounds {
                best.bare = min(best.bare, try nanoseconds(source))
                let watch = try XDPEventWatch()
                best.watched = min(best.watched, try nanoseconds(source))
                let count = try watch.read(milliseconds: 0).reduce(0) { $0 + $1.count }
                guard count == (item.hasEvent ? Self.packets : 0) else {
                    throw BenchmarkError("\(item.name): \(count) events of \(Self.packets) packets")
                }
            }
            withExtendedLifetime(link) {}
            return [item.name]
                + [best.bare, best.watched, best.watched - best.bare].map { Text.decimal($0, 0) }
        }
    }

    private static let packets: UInt64 = 100_000

    /// Processor time of this thread for one packet.
    private func nanoseconds(_ device: borrowing TAPDevice) throws -> Double {
        let bytes = Catalog.packet
        let start = Self.processorTime()
        for _ in 0..<Self.packets { try device.write(bytes) }
        return (Self.processorTime() - start) / Double(Self.packets)
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
