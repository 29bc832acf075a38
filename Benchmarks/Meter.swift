// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc

/// Runs programs in turn, again and again, and keeps the fastest round of each: what disturbs the machine
/// then disturbs all of them alike, and the minimum leaves it out.
///
/// The kernel's own answer is cut to whole nanoseconds, which adds up to three percent over ten programs. So
/// the thread's processor time is taken, and what a call costs besides is in the empty program's time, too.
final class Meter {
    private final class Entry {
        let program: Program
        var best = Double.infinity
        init(_ program: consuming Program) { self.program = program }
    }

    /// A program that was given to the meter.
    struct Ticket {
        fileprivate let place: Int
    }

    private var entries: [Entry] = []
    private let packet: [UInt8]
    private let empty: Ticket

    init(packet: [UInt8]) throws {
        self.packet = packet
        empty = Ticket(place: 0)
        let image = ProgramImage(name: "empty", instructions: [.move(.r0, 2), .exit], license: "GPL")
        entries.append(Entry(try Program.load(image).take()))
    }

    func add(_ program: consuming Program) -> Ticket {
        entries.append(Entry(program))
        return Ticket(place: entries.count - 1)
    }

    func run(rounds: Int, repeats: UInt32) throws {
        for entry in entries { _ = try entry.program.testRun(packet, repeats: 1000) }
        for _ in 0..<rounds {
            for entry in entries {
                let start = Self.processorTime()
                _ = try entry.program.testRun(packet, repeats: repeats)
                entry.best = min(entry.best, (Self.processorTime() - start) / Double(repeats))
            }
        }
    }

    /// Nanoseconds that this thread spent on a processor.
    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Nanoseconds for one packet.
    func gross(_ ticket: Ticket) -> Double { entries[ticket.place].best }

    /// Without what running nothing costs.
    func net(_ ticket: Ticket) -> Double { gross(ticket) - gross(empty) }

    /// What running nothing costs.
    var harness: Double { gross(empty) }
}
