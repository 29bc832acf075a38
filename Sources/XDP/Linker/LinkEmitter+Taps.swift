// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What stands at the points that taps see (``Tap``).
extension LinkEmitter {
    /// The packet's 8 bytes for each tap: zero, of which the verifier knows nothing. If it did, all code behind the first tap
    /// that may write there would be walked once with the zero and once with what was written. A zero is made for each: of two
    /// copies of one the verifier would learn together.
    mutating func emitPacketSlots() {
        guard let first = sites.callees.first else { return }
        note("chain: the packet's 8 bytes for each tap")
        assembler.append(Instruction.loadMapValue(.r1, index: place(ofMap: first.guardID), offset: 0))
        assembler.append(.load(.doubleWord, .r2, from: .r1, offset: 0))
        for slot in plan.packetSlots {
            assembler.append(.move(.r1, .r2))
            assembler.append(.xor(.r1, .r2))
            assembler.append(.store(.doubleWord, .r1, to: .framePointer, offset: slot))
        }
    }

    /// Calls the taps of a point, one after the other; nothing where there are none.
    ///
    /// At an exit or end the verdict is in r0, and is there again afterwards. It is hidden from the verifier first, which
    /// would otherwise walk everything once for each constant that a member returns.
    ///
    /// Behind an end nothing follows, so the last tap there may stand in its place (``LinkPlan/inlinesTaps``).
    mutating func emitTaps(at point: TapPoint) throws(XDPError) {
        let calls = sites.calls(at: point)
        guard !calls.isEmpty else { return }
        let hasVerdict = point.kind == .exit || point.kind == .end
        if hasVerdict {
            note("chain: verdict for taps at \(point)")
            forgetVerdict()
            // r6 may hold the context; members are done with r7, and the counting of bytes comes later.
            assembler.append(.move(.r7, .r0))
        }
        let verdictSlot = point.kind == .end ? plan.verdictSlot : nil
        if let verdictSlot {
            assembler.append(.store(.doubleWord, .r7, to: .framePointer, offset: verdictSlot))
        }
        for (place, call) in calls.enumerated() {
            let callee = sites.callees[call.tap]
            note("tap \(callee.unit.name) at \(point)")
            let on = assembler.label()
            assembler.append(
                Instruction.loadMapValue(.r1, index: self.place(ofMap: callee.guardID), offset: 0))
            assembler.append(.load(.word, .r1, from: .r1, offset: 0))
            assembler.append(.and32(.r1, Int32(TapGuard.alive)))
            assembler.jump32(.equal, .r1, 0, to: on)
            loadContext(.r1)
            assembler.append(.move32(.r2, call.number))
            if hasVerdict {
                assembler.append(.move32(.r3, .r7))
            } else {
                assembler.append(.move32(.r3, Int32(bitPattern: Tap.noVerdict)))
            }
            assembler.append(.move(.r4, .framePointer))
            assembler.append(.add(.r4, Int32(plan.packetSlots[call.tap])))
            assembler.append(.move(.r5, supportsFrags ? 0 : 1))
            if verdictSlot != nil, place == calls.count - 1 {
                let start = assembler.count
                try emitBody(of: callee.unit, 0, [tapLabels[call.tap]], epilogue: true)
                tapRanges.append((start..<assembler.count, callee.unit.name))
            } else {
                assembler.call(to: tapLabels[call.tap])
            }
            assembler.place(on)
        }
        if let verdictSlot {
            assembler.append(.load(.doubleWord, .r0, from: .framePointer, offset: verdictSlot))
        } else if hasVerdict {
            assembler.append(.move(.r0, .r7))
        }
    }

    /// A chain without members passes every packet.
    mutating func emitEmptyChain() throws(XDPError) {
        try emitTaps(at: TapPoint(.start))
        note("chain: no members")
        assembler.append(.move(.r0, Int32(Verdict.pass.rawValue)))
        try emitTaps(at: TapPoint(.end))
        note("chain: end")
        assembler.append(.exit)
    }

    /// The code of each tap that is called, once, however many points call it.
    mutating func emitTapFunctions() throws(XDPError) {
        let inlined = plan.inlinesTaps ? sites.onlyAtEnds : []
        for (place, callee) in sites.callees.enumerated() where !inlined.contains(place) {
            functions.append((assembler.count, callee.unit.unit.program))
            assembler.place(tapLabels[place])
            note("tap \(callee.unit.name)")
            let start = assembler.count
            try emitBody(of: callee.unit, 0, [tapLabels[place]], epilogue: false)
            tapRanges.append((start..<assembler.count, callee.unit.name))
        }
    }
}
