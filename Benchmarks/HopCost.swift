// SPDX-License-Identifier: Apache-2.0
import Bytecode
import XDP

/// Instructions that a packet executes between two inlined members, read off the linked program.
///
/// What must hold is said of the hop itself: comparing the verdict, jumping, handing on the context. Zeroing
/// what the next member could see of earlier ones is shown beside it; its price is in the time of the chain.
struct HopCost {
    let catalog: Catalog

    /// One way from a verdict to the next member.
    private struct Hop {
        /// Compares, jumps and loads.
        var glue: Int
        /// Stores and moves that take earlier members' data away from the next one.
        var scrub: Int
    }

    func show(_ report: Report) throws {
        report.section("From one inlined member to the next (instructions executed)")
        let passOnly = try hops(catalog.members(10, of: [Catalog.passOnly]))
        let real = try hops(catalog.members(10, of: catalog.passing))
        var lines = [["", "compare, jump, load", "scrub: median", "most"]]
        for (name, hops) in [("return XDP_PASS", passOnly), ("ordinary programs", real)] {
            let scrubs = Samples(hops.map { Double($0.scrub) })
            lines.append([
                name, "\(hops.map(\.glue).max() ?? 0)", Text.decimal(scrubs.median, 0),
                Text.decimal(scrubs.maximum, 0),
            ])
        }
        report.table(lines)
        let most = (passOnly + real).map(\.glue).max() ?? 0
        report.promise("an inline hop", Double(most), atMost: 3, "instr.")
    }

    /// Follows `pass` from each member's verdict to the next member's first instruction.
    private func hops(_ members: [Member]) throws -> [Hop] {
        let linked = try catalog.link(try catalog.chain(members))
        let bodies = linked.segments.filter { $0.unitStart == 0 }
        let starts = Set(bodies.map(\.range.lowerBound))
        return bodies.dropLast().map { body in
            var hop = Hop(glue: 0, scrub: 0)
            var place = body.range.upperBound
            while !starts.contains(place), linked.instructions.indices.contains(place) {
                let instruction = linked.instructions[place]
                if isScrub(instruction) { hop.scrub += 1 } else { hop.glue += 1 }
                let isTaken = instruction.isJump32Equal(to: Int32(Verdict.pass.rawValue))
                place += 1 + (isTaken ? Int(instruction.offset) : 0)
            }
            return hop
        }
    }

    private func isScrub(_ instruction: Instruction) -> Bool {
        guard instruction.immediate == 0 else { return false }
        // *(u64 *)(r10 - n) = 0, or rN = 0.
        return instruction.opcode.rawValue == 0x7a || instruction.opcode.rawValue == 0xb7
    }
}

extension Instruction {
    /// `if w0 == value goto …`, or any jump that is always taken.
    fileprivate func isJump32Equal(to value: Int32) -> Bool {
        opcode.rawValue == 0x05 || opcode.rawValue == 0x16 && destination == .r0 && immediate == value
    }
}
