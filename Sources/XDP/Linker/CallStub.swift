// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What stands in the chain for a member that has a program of its own: a function that does a tail call into
/// the array where that program stands. Its verdict comes back as the function's.
///
///     r2 = array; r3 = 0; tail call
///     count what was missed                 (only here if the call was not possible)
///     r0 = fallback; exit
struct CallStub {
    /// The array of one place.
    let array: UInt32
    /// Where missed packets are counted; nil to count nothing.
    let page: UInt32?
    let slot: Int
    let fallback: Verdict

    /// The maps that the unit refers to.
    var mapIDs: [UInt32] { page.map { [array, $0] } ?? [array] }

    /// The stub as a unit that stands for another one.
    func unit(for member: Member) -> Unit {
        var instructions = Instruction.loadMap(.r2, index: 0)
        instructions.append(.move(.r3, 0))
        instructions.append(.call(helper: Self.tailCall))
        if page != nil {
            instructions += Self.countMissed(slot: slot, map: Instruction.loadMap(.r1, index: 1))
        }
        instructions.append(.move(.r0, Int32(fallback.rawValue)))
        instructions.append(.exit)
        return Unit(
            program: member.unit.program, section: "xdp", license: "GPL",
            supportsFrags: member.unit.supportsFrags, instructions: instructions)
    }

    /// `bpf_tail_call`: returns only if the array is empty at the place, or the packet did 33 already.
    static let tailCall: Int32 = 12

    /// Counts a packet that did not get where it was to go. Off the packets' usual path, so the map is looked
    /// up here and not once a packet. Uses r0 to r2 and the given bytes of stack.
    static func countMissed(slot: Int, map: [Instruction], key: Int16 = -8) -> [Instruction] {
        let offset = Int16(slot % CounterPage.members * CounterPage.memberSize + CounterPage.missedOffset)
        var instructions: [Instruction] = [
            .storeImmediate(.doubleWord, 0, to: .framePointer, offset: key),
            .move(.r2, .framePointer),
            .add(.r2, Int32(key)),
        ]
        instructions += map
        instructions.append(.call(helper: 1))  // bpf_map_lookup_elem
        instructions.append(.jump(.equal, .r0, 0, 3))
        instructions.append(.load(.doubleWord, .r1, from: .r0, offset: offset))
        instructions.append(.add(.r1, 1))
        instructions.append(.store(.doubleWord, .r1, to: .r0, offset: offset))
        return instructions
    }
}
