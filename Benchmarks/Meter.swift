// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Runs programs in turn, again and again, and keeps the fastest round of each: what disturbs the machine
/// then disturbs all of them alike, and the minimum leaves it out.
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
                let run = try entry.program.testRun(packet, repeats: repeats)
                entry.best = min(entry.best, Double(run.nanoseconds))
            }
        }
    }

    /// Nanoseconds for one packet, as the kernel says.
    func gross(_ ticket: Ticket) -> Double { entries[ticket.place].best }

    /// Without what running nothing costs.
    func net(_ ticket: Ticket) -> Double { gross(ticket) - gross(empty) }

    /// What running nothing costs.
    var harness: Double { gross(empty) }
}
