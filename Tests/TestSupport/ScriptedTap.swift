// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

extension Tap {
    /// A tap that tells the test what it was called with, and counts its calls in the packet's own bytes: r5 is what was there
    /// before. It leaves nothing in registers and on its stack as it was.
    public static func scripted(
        _ number: Int, guardID: UInt32, selection: TapSelection, stack: Int16 = 16
    ) -> Tap {
        var instructions: [Instruction] = [
            .move(.r6, .r4), .load(.doubleWord, .r5, from: .r4),
            .move(.r7, .r5), .add(.r7, 1), .store(.doubleWord, .r7, to: .r6),
            .storeImmediate(.doubleWord, -1, to: .framePointer, offset: -stack),
            .call(helper: ChainMachine.firstTap + Int32(number)),
        ]
        for register in [Register.r0, .r6, .r7, .r8, .r9] { instructions.append(.move(register, 0x5a5a)) }
        instructions.append(.exit)
        let map = UnitMap(
            name: "page",
            definition: MapDefinition(
                name: "page", type: .array, keySize: 4, valueSize: 16, maximumEntries: 1))
        return Tap(
            name: "tap\(number)", purpose: "to test", process: 1,
            unit: Unit(program: "tap_main", license: "GPL", instructions: instructions, maps: [map]),
            mapIDs: [guardID], guardMap: 0, selection: selection)
    }
}
