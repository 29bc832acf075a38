// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What stands between members.
extension LinkEmitter {
    mutating func note(_ text: String) {
        lines.append((assembler.count, .init(instruction: 0, file: Self.glueFile, text: text, position: 0)))
    }

    mutating func emitPrologue() {
        note("chain: keep the context")
        if let slot = plan.contextSlot {
            assembler.append(.store(.doubleWord, .r1, to: .framePointer, offset: slot))
        } else if plan.needsContext {
            assembler.append(.move(.r6, .r1))
        }
        for (page, slot) in zip(pages, plan.counterSlots) {
            // The slot serves as the key, zero, before it takes the address.
            let found = assembler.label()
            assembler.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: slot))
            assembler.append(.move(.r2, .framePointer))
            assembler.append(.add(.r2, Int32(slot)))
            assembler.append(Instruction.loadMap(.r1, index: place(ofMap: counting.pageIDs[page])))
            assembler.append(.call(helper: 1))
            assembler.jump(.notEqual, .r0, 0, to: found)
            assembler.append(.move32(.r0, Int32(Verdict.aborted.rawValue)))
            assembler.append(.exit)
            assembler.place(found)
            assembler.append(.store(.doubleWord, .r0, to: .framePointer, offset: slot))
        }
        emitPacketSlots()
    }

    /// r1 = ctx
    mutating func loadContext(_ register: Register) {
        if let slot = plan.contextSlot {
            assembler.append(.load(.doubleWord, register, from: .framePointer, offset: slot))
        } else if plan.needsContext {
            assembler.append(.move(register, .r6))
        }
    }

    mutating func emitNode(_ node: Int, _ subprograms: [Label]) throws(XDPError) {
        let unit = units[node]
        let start = assembler.count
        assembler.place(nodeLabels[node])
        if node == 0, graph.segment == 0 { try emitTaps(at: TapPoint(.start)) }
        try emitTaps(at: TapPoint(.entry, member: unit.name))
        let isUntouched = node == 0 && pages.isEmpty && sites.isEmpty
        if plan.modes[node] == .call {
            note("chain: call \(unit.name)")
            if !isUntouched {
                loadContext(.r1)
                // The verifier takes r1 to r5 for read by the call; what earlier members left in them would
                // multiply its work.
                for register in [Register.r2, .r3, .r4, .r5] { assembler.append(.move(register, 0)) }
            }
            assembler.call(to: subprograms[0])
            segments.append((start..<assembler.count, unit.member, nil))
        } else {
            if !isUntouched {
                note("chain: enter \(unit.name)")
                loadContext(.r1)
                scrub(before: node)
            }
            segments.append((start..<assembler.count, unit.member, nil))
            try emitBody(of: unit, 0, subprograms, epilogue: needsEpilogue(node))
        }
        try emitEpilogue(node)
    }

    /// Zeroes what the member could see of earlier ones: its part of the stack, as deep as an earlier one
    /// may have written it, and registers that it might read. It keeps the verifier's work a sum instead of
    /// a product, and one member's data out of another's.
    mutating func scrub(before node: Int) {
        guard node > 0 || !sites.isEmpty else { return }
        let written = (0..<node).filter { plan.modes[$0] == .inline }.map { units[$0].depth }.max() ?? 0
        let depth = min(units[node].depth, written)
        for offset in stride(from: 8, through: depth, by: 8) {
            assembler.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: Int16(-offset)))
        }
        for register in units[node].liveRegisters { assembler.append(.move(register, 0)) }
    }

    mutating func emitEpilogue(_ node: Int) throws(XDPError) {
        let start = assembler.count
        defer {
            if assembler.count > start { segments.append((start..<assembler.count, units[node].member, nil)) }
        }
        let isCall = plan.modes[node] == .call
        guard isCall || needsEpilogue(node) else { return }
        note("chain: verdict of \(units[node].name)")
        let exit = TapPoint(.exit, member: units[node].name)
        if isCall, units[node].hasTailCalls, needsEpilogue(node), sites.calls(at: exit).isEmpty {
            forgetVerdict()
        }
        try emitTaps(at: exit)
        count(node)
        for (verdict, target) in graph.nodes[node].targets.sorted(by: { $0.key < $1.key }) {
            guard let label = label(of: target) else { continue }
            assembler.jump32(.equal, .r0, Int32(verdict.rawValue), to: label)
        }
        try emitTaps(at: TapPoint(.end, member: units[node].name))
        assembler.append(.exit)
    }

    /// Hides from the verifier what it believes to know of r0, without changing it.
    ///
    /// Many kernels (5.10, 6.1 and 6.12 do) take for a function's verdict what it returns when its tail call
    /// fails: `return XDP_DROP` behind the call makes the way for every other verdict dead code, which is then
    /// taken out. Exclusive or, twice, with a number that is known only when a packet comes leaves the verdict
    /// and no opinion.
    mutating func forgetVerdict() {
        loadContext(.r1)
        assembler.append(.load(.word, .r1, from: .r1, offset: 16))  // rx_queue_index
        assembler.append(.xor(.r0, .r1))
        assembler.append(.xor(.r0, .r1))
    }

    func label(of target: LinkGraph.Target) -> Label? {
        switch target {
        case .node(let place): nodeLabels[place]
        case .segment(let place): segmentLabels[place]
        }
    }

    /// The ways into other segments: a tail call, which leaves nothing behind unless it is not possible.
    mutating func emitSegmentCalls() throws(XDPError) {
        for place in graph.usedSegments {
            guard let label = segmentLabels[place] else { continue }
            let start = assembler.count
            let entry = chain.members[graph.entries[place]]
            assembler.place(label)
            note("chain: on to \(entry.name)")
            loadContext(.r1)
            assembler.append(Instruction.loadMap(.r2, index: self.place(ofMap: segmentArray)))
            assembler.append(.move(.r3, Int32(place)))
            assembler.append(.call(helper: CallStub.tailCall))
            if let page = counting.page(ofSlot: entry.counterSlot) {
                let map = Instruction.loadMap(.r1, index: self.place(ofMap: page))
                assembler.append(
                    CallStub.countMissed(slot: entry.counterSlot, map: map, key: plan.missedSlot))
            }
            assembler.append(.move(.r0, Int32(chain.fallback.rawValue)))
            // As if the member that the packet did not reach had given it.
            try emitTaps(at: TapPoint(.end, member: entry.name))
            assembler.append(.exit)
            segments.append((start..<assembler.count, graph.entries[place], nil))
        }
    }

    mutating func count(_ node: Int) {
        let slot = chain.members[units[node].member].counterSlot
        guard counting.mode != .off, slot >= 0,
            let page = pages.firstIndex(of: slot / CounterPage.members)
        else { return }
        let countsBytes = counting.mode == .bytes
        if countsBytes, supportsFrags {
            // data_end - data is only the first buffer of such packets.
            assembler.append(.move(.r7, .r0))
            loadContext(.r1)
            assembler.append(.call(helper: 188))  // bpf_xdp_get_buff_len, Linux 5.18
            assembler.append(.move(.r5, .r0))
            assembler.append(.move(.r0, .r7))
        } else if countsBytes {
            loadContext(.r4)
            assembler.append(.load(.word, .r5, from: .r4, offset: 4))
            assembler.append(.load(.word, .r4, from: .r4, offset: 0))
            assembler.append(.subtract(.r5, .r4))
        }
        let offset = Int16(slot % CounterPage.members * CounterPage.memberSize)
        let isVerdict = assembler.label()
        assembler.append(
            .load(.doubleWord, .r1, from: .framePointer, offset: plan.counterSlots[page]))
        assembler.append(.move32(.r2, .r0))
        assembler.jump32(.lessOrEqual, .r2, Int32(Verdict.redirect.rawValue), to: isVerdict)
        assembler.append(.move32(.r2, Int32(Verdict.allCases.count)))
        assembler.place(isVerdict)
        assembler.append(.shiftLeft(.r2, 4))
        assembler.append(.add(.r1, .r2))
        assembler.append(.load(.doubleWord, .r3, from: .r1, offset: offset))
        assembler.append(.add(.r3, 1))
        assembler.append(.store(.doubleWord, .r3, to: .r1, offset: offset))
        guard countsBytes else { return }
        assembler.append(.load(.doubleWord, .r3, from: .r1, offset: offset + 8))
        assembler.append(.add(.r3, .r5))
        assembler.append(.store(.doubleWord, .r3, to: .r1, offset: offset + 8))
    }
}
