// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

extension ProgramAnalysis {
    /// What a program can do. Of code that is no program, and of what is too long to be followed, everything is
    /// assumed, and ``assumption`` says why.
    ///
    /// It sees what can be reached: not what stands behind a comparison of constants that never holds. A number
    /// that the program returns counts as listed if it is one of a few; beyond that it is something unknown,
    /// and redirect is removed where nothing that redirects is reached. Then the kernel's verdict can still be
    /// the number 4, but the packet is dropped, because nobody said where it shall go. What extensions (freplace)
    /// put in the place of a function is not seen.
    public init(of code: ProgramCode) {
        let layout: ProgramLayout
        do throws(BytecodeError) {
            layout = try ProgramLayout(code.instructions)
        } catch {
            self = Self.assumed(code, because: error.description)
            return
        }
        do throws(ProgramWalk.Surrender) {
            self = AnalysisReport(try Self.walk(code, layout)).analysis
        } catch {
            let reason =
                switch error {
                case .tooLong: "The program has too many ways through it to be followed."
                case .tooDeep: "The program's calls cannot be followed."
                }
            self = Self.assumed(code, because: reason)
            return
        }
        stackDepth = StackUse(code.instructions, layout: layout).combinedDepth(rounding: 32)
    }

    /// Exactly, or roughly where that takes too long.
    private static func walk(
        _ code: ProgramCode, _ layout: ProgramLayout
    ) throws(ProgramWalk.Surrender) -> ProgramWalk {
        var walk = ProgramWalk(code, layout: layout)
        do throws(ProgramWalk.Surrender) {
            try walk.walk()
        } catch .tooLong {
            walk = ProgramWalk(code, layout: layout, effort: .rough)
            try walk.walk()
        } catch {
            throw error
        }
        return walk
    }

    /// Everything that the instructions could do if all were reached in every state.
    private static func assumed(_ code: ProgramCode, because reason: String) -> ProgramAnalysis {
        var record = UsageRecord()
        var places: [Int] = []
        for (index, instruction) in code.instructions.enumerated() {
            if instruction.isExit { places.append(index) }
            switch instruction.wideKind {
            case .mapIndex, .mapIndexValue: record.usedMaps.insert(Int(instruction.immediate))
            default: break
            }
            guard instruction.isCall, !instruction.isSubprogramCall else { continue }
            switch code.callees[index] ?? instruction.helperCall.map({ .helper(UInt32(bitPattern: $0)) }) {
            case .helper(let helper)?:
                record.helpers[helper, default: []].insert(index)
                switch helper {
                case HelperEffect.redirect: record.addRedirect(interfaces: nil, at: index)
                case HelperEffect.redirectMap: record.addRedirect(map: .unknown, flags: nil, at: index)
                case HelperEffect.tailCall: record.addTailCall(map: .unknown, entry: nil, at: index)
                default: break
                }
            case .kernelFunction(let name, let module)?:
                record.kernelFunctions[name, default: [:]][module, default: []].insert(index)
            default: record.unknownCalls.insert(index)
            }
        }
        record.mayRedirect = true
        for place in places { record.addExit(.unknown, at: place) }
        var analysis = AnalysisReport(code, record, functionCount: 1).analysis
        let all = places.map { Place(instruction: $0, line: code.line(of: $0)) }
        for verdict in Verdict.allCases { analysis.verdicts[verdict] = all }
        analysis.contextFields = code.isTranslated ? nil : Set(ContextField.allCases)
        analysis.mayThrow = true
        analysis.assumption = reason
        return analysis
    }
}

extension ProgramCode {
    /// The source line that an instruction was made from.
    func line(of instruction: Int) -> DebugInformation.Line? {
        var low = 0
        var high = lines.count
        while low < high {
            let middle = (low + high) / 2
            if lines[middle].instruction <= instruction { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : lines[low - 1]
    }
}
