// SPDX-License-Identifier: Apache-2.0
import Bytecode

extension ProgramWalk {
    /// Executes a call; false if nothing behind it is reached.
    mutating func call(
        _ instruction: Instruction, at index: Int, _ state: inout AnalysisState
    ) throws(Surrender) -> Bool {
        if instruction.isSubprogramCall {
            return try callSubprogram(instruction, at: index, &state)
        }
        switch callee(of: instruction, at: index) {
        case .helper(let helper): try callHelper(helper, at: index, &state)
        case .kernelFunction(let name, let module):
            record.kernelFunctions[name, default: [:]][module, default: []].insert(index)
            if name == "bpf_throw" {
                record.addThrow(state[.r1], at: index)
                return false
            }
            if name.contains("redirect") { record.mayRedirect = true }
            try callUnknown(at: index, &state)
        case .symbol(let symbol): try callSymbol(symbol, at: index, &state)
        case .unknown:
            record.unknownCalls.insert(index)
            record.mayRedirect = true
            // It could be bpf_throw.
            if instruction.isKernelFunctionCall { record.addThrow(.unknown, at: index) }
            try callUnknown(at: index, &state)
        }
        return true
    }

    func callee(of instruction: Instruction, at index: Int) -> ProgramCode.Callee {
        if let known = code.callees[index] { return known }
        // What a kernel translated has addresses in the place of numbers.
        if !code.isTranslated, let helper = instruction.helperCall, helper > 0 {
            return .helper(UInt32(bitPattern: helper))
        }
        return .unknown
    }

    /// Sets what every call leaves in the registers.
    private func finish(_ result: TrackedValue, _ state: inout AnalysisState) {
        for register in RegisterSet.callerSaved.registers { state[register] = .unknown }
        state[.r0] = result
    }

    private func arguments(_ state: AnalysisState) -> [TrackedValue] { Array(state.registers[1...5]) }

    // MARK: Subprograms

    private mutating func callSubprogram(
        _ instruction: Instruction, at index: Int, _ state: inout AnalysisState
    ) throws(Surrender) -> Bool {
        guard let distance = instruction.functionDistance,
            let function = layout.subprogram(startingAt: index + 1 + distance)
        else { return false }
        state.unlinkFrames()
        guard let outcome = try call(function, arguments(state), callers: state.frames) else { return false }
        state.frames = outcome.frames
        finish(outcome.result, &state)
        return true
    }

    // MARK: Helpers

    private mutating func callHelper(
        _ helper: UInt32, at index: Int, _ state: inout AnalysisState
    ) throws(Surrender) {
        record.helpers[helper, default: []].insert(index)
        let effect = HelperEffect(helper)
        var result = effect.result
        switch helper {
        case HelperEffect.redirect: result = redirect(at: index, state)
        case HelperEffect.redirectMap: result = redirectMap(at: index, state)
        case HelperEffect.tailCall:
            record.addTailCall(map: state[.r2].value, entry: state[.r3].value.number, at: index)
        default: break
        }
        if let callback = effect.callback {
            try call(callback, &state)
        } else {
            write(effect.writes, &state)
            try callBack(&state)
        }
        finish(TrackedValue(.number(result), at: index), &state)
    }

    /// XDP_REDIRECT, or XDP_ABORTED with flags, of which there are none.
    private mutating func redirect(at index: Int, _ state: AnalysisState) -> NumberSet {
        record.mayRedirect = true
        record.addRedirect(interfaces: state[.r1].value.number, at: index)
        let flags = state[.r2].value.number
        let none = flags?.contains(0) ?? true
        let some = flags?.constant != 0
        let codes = (none ? [Verdict.redirect] : []) + (some ? [.aborted] : [])
        return NumberSet(codes.map { UInt64($0.rawValue) }) ?? .full
    }

    /// XDP_REDIRECT, or without an entry the two lowest bits of the flags, or XDP_ABORTED for flags that the
    /// kernel, or the map's type, does not know.
    private mutating func redirectMap(at index: Int, _ state: AnalysisState) -> NumberSet {
        record.mayRedirect = true
        let flags = state[.r3].value.number
        record.addRedirect(map: state[.r1].value, flags: flags, at: index)
        let fallback = UsageRecord.fallback(flags) ?? [.aborted, .drop, .pass, .tx]
        var codes = fallback.union([.redirect])
        if flags?.unsignedBounds.upperBound ?? .max > 3 { codes.insert(.aborted) }
        return NumberSet(codes.map { UInt64($0.rawValue) }) ?? .full
    }

    private func write(_ writes: [HelperEffect.Write]?, _ state: inout AnalysisState) {
        guard let writes else {
            for argument in arguments(state) { state.clear(behind: argument.value, size: nil) }
            return
        }
        for write in writes {
            var size: Int?
            switch write.size {
            case .bytes(let count): size = count
            case .argument(let place):
                let most = state.registers[place].value.number?.unsignedBounds.upperBound
                size = most.flatMap { $0 <= UInt64(StackUse.limit) ? Int($0) : nil }
            case .any: break
            }
            state.clear(behind: state.registers[write.argument].value, size: size)
        }
    }

    // MARK: What is only known by name, or not at all

    private mutating func callUnknown(at index: Int, _ state: inout AnalysisState) throws(Surrender) {
        let given = arguments(state).reduce(AnalysisValue.Mixture()) { $0.union($1.value.mixture) }
        write(nil, &state)
        try callBack(&state)
        // It may return an address that it was given.
        let value = given.subtracting(.function).isEmpty ? AnalysisValue.unknown : .mixed(given)
        finish(TrackedValue(value, at: index), &state)
    }

    /// What kernels put in the place of helpers.
    private mutating func callSymbol(
        _ symbol: String, at index: Int, _ state: inout AnalysisState
    ) throws(Surrender) {
        let helpers: [String: UInt32] = [
            "bpf_xdp_redirect": HelperEffect.redirect, "bpf_xdp_redirect_map": HelperEffect.redirectMap,
            "dev_map_redirect": HelperEffect.redirectMap, "dev_hash_map_redirect": HelperEffect.redirectMap,
            "cpu_map_redirect": HelperEffect.redirectMap, "xsk_map_redirect": HelperEffect.redirectMap,
            "bpf_xdp_adjust_head": HelperEffect.adjustHead, "bpf_xdp_adjust_tail": HelperEffect.adjustTail,
            "bpf_xdp_adjust_meta": HelperEffect.adjustMetadata,
        ]
        if let helper = helpers[symbol] {
            try callHelper(helper, at: index, &state)
            return
        }
        // By these names nothing redirects: the functions of maps, and what most helpers are called.
        let isHarmless =
            !symbol.contains("redirect")
            && (symbol.contains("map_") || symbol.contains("htab") || symbol.contains("array_")
                || symbol.contains("trie_") || symbol.hasPrefix("bpf_") || symbol.hasPrefix("__htab"))
        if !isHarmless {
            record.unknownCalls.insert(index)
            record.mayRedirect = true
        }
        try callUnknown(at: index, &state)
    }

    // MARK: Callbacks

    private mutating func call(
        _ callback: HelperEffect.Callback, _ state: inout AnalysisState
    ) throws(Surrender) {
        guard case .function(let function) = state.registers[callback.function].value else {
            try callBack(&state)
            return
        }
        guard !callback.isLater else {
            try callLater(function)
            return
        }
        var arguments = [TrackedValue](repeating: .unknown, count: 5)
        if let context = callback.context {
            arguments[context.parameter - 1] = state.registers[context.argument].unlinked
        }
        try callBack(function, arguments, &state)
    }

    /// Follows every function among the arguments of a call that is not known to call it back in some way.
    private mutating func callBack(_ state: inout AnalysisState) throws(Surrender) {
        let given = arguments(state).map(\.value)
        if given.contains(where: {
            if case .mixed(let kinds) = $0 { kinds.contains(.function) } else { false }
        }) {
            throw .tooDeep
        }
        let mixture = given.reduce(AnalysisValue.Mixture()) { $0.union($1.mixture) }.subtracting(.function)
        let argument = TrackedValue(mixture.isEmpty ? .unknown : .mixed(mixture))
        for case .function(let function) in given {
            try callBack(function, [TrackedValue](repeating: argument, count: 5), &state)
        }
    }

    /// Follows a callback any number of times.
    private mutating func callBack(
        _ function: Int, _ arguments: [TrackedValue], _ state: inout AnalysisState
    ) throws(Surrender) {
        state.unlinkFrames()
        var rounds = 0
        while let outcome = try call(function, arguments, callers: state.frames) {
            let widening: AnalysisValue.Widening = rounds < 3 ? .none : rounds < 8 ? .some : .all
            let frames = zip(state.frames, outcome.frames).map { $0.joined($1, widening: widening) }
            if frames == state.frames { return }
            state.frames = frames
            rounds += 1
        }
    }
}
