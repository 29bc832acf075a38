// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

extension Tap {
    /// A tap that tells the test what it was called with, and counts its calls in the packet's own bytes: r5 is what was there
    /// before. It leaves nothing in registers and on its stack as it was.
    ///
    /// - Parameter tellsBuffers: r8 is what r5 was: whether packets lie in one buffer.
    public static func scripted(
        _ number: Int, guardID: UInt32, selection: TapSelection, stack: Int16 = 16, tellsBuffers: Bool = false
    ) -> Tap {
        var instructions: [Instruction] = tellsBuffers ? [.move(.r8, .r5)] : []
        instructions += [
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

extension Tap {
    /// A tap that does nothing for an owner who never ends, at every point; and its map, which is called like the tap.
    public static func idle(_ name: String) throws(BPFError) -> (tap: Tap, maps: [MapHandle]) {
        let map = try MapHandle(
            MapDefinition(
                name: name, type: .array, keySize: 4, valueSize: 64, maximumEntries: 1,
                flags: MappedValue.mapFlag))
        try map.map.update([0, 0, 0, 0], to: [1] + [UInt8](repeating: 0, count: 63))
        let unit = Unit(
            program: "idle", license: "Apache-2.0", instructions: [.move(.r0, 0), .exit],
            maps: [UnitMap(name: map.definition.name, definition: map.definition)])
        let tap = Tap(
            name: name, purpose: "", process: 1, unit: unit, mapIDs: [map.id], guardMap: 0,
            selection: TapSelection(start: true, end: true, allEntries: true, allExits: true))
        return (tap, [map])
    }

    /// Does what the kernel does when the owner ends.
    public func orphan() throws(BPFError) {
        let guardMap = try MapHandle(id: mapIDs[guardMap])
        try guardMap.map.update(
            [0, 0, 0, 0], to: [UInt8](repeating: 0, count: Int(guardMap.definition.valueSize)))
    }
}
