// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

/// Makes a program of a rule set: a pure function, the same rules make the same instructions.
///
/// Few rules become straight code, one after the other. Of more, every field of a packet gets a class by one load
/// or lookup, every class has a row of bits, one for each rule that its values do not exclude, and the lowest bit
/// that is left of all rows together is the first rule that matches (bit vectors with summaries: Lakshman and
/// Stiliadis 1998, Baboescu and Varghese 2001). Long runs of rules that differ in an address are one lookup.
public enum FilterCompiler {
    /// Throws ``XDPError`` for rules that lead in a circle, and for those that are too many for the kernel.
    public static func compile(_ input: CompilerInput) throws(XDPError) -> CompiledFilter {
        let flattener = try Flattener(input)
        var normalizer = MatchNormalizer(interfaces: input.interfaces)
        let steps = RunFinder(flattener.rules, &normalizer).steps
        let isStraight = StraightChoice(steps).isStraight
        var stages: Stages = .straight(steps)
        if !isStraight { stages = .blocks(try BlockBuilder(steps, &normalizer)) }
        var emitter = FilterEmitter(
            input, needs: needs(of: stages, steps, normalizer.predicates), fieldClasses: stages.fieldClasses,
            maps: MapBook())
        emitter.devices = flattener.devices
        for step in steps {
            if case .rule(let rule, _) = step, let verdict = rule.verdict {
                emitter.recordVerdicts.insert(verdict)
            }
        }
        emitter.emitHeaders()
        switch stages {
        case .straight(let steps):
            for step in steps { emitter.emit(step, normalizer.predicates) }
        case .blocks(let builder):
            for run in builder.runs { _ = emitter.addRun(run) }
            emitter.emitClasses(builder.predicates)
            for block in builder.blocks { try emitter.emit(block, questions: builder.predicates.count) }
        }
        emitter.emitEnds()
        return try finish(&emitter, stages)
    }

    /// How packets find their rule.
    enum Stages {
        case straight([Step])
        case blocks(BlockBuilder)

        var fieldClasses: [FieldKey: FieldClasses] {
            switch self {
            case .straight: [:]
            case .blocks(let builder): builder.fieldClasses
            }
        }
    }

    private static func needs(of stages: Stages, _ steps: [Step], _ predicates: [Predicate]) -> FieldNeeds {
        var needs = FieldNeeds()
        for step in steps {
            switch step {
            case .rule(let rule, _):
                needs.add(rule.action)
                if case .straight = stages { needs.add(rule.match) }
            case .run(let run):
                needs.addValues(run.fields)
                if case .straight = stages {
                    needs.addValues(run.common.keys)
                    for case .predicate(let number) in run.common.keys { needs.add(predicates[number]) }
                }
            }
        }
        guard case .blocks(let builder) = stages else { return needs }
        for key in builder.fieldClasses.keys { needs.addClass(key) }
        for predicate in builder.predicates { needs.add(predicate) }
        return needs
    }

    private static func finish(_ emitter: inout FilterEmitter, _ stages: Stages) throws(XDPError)
        -> CompiledFilter
    {
        emitter.maps.close()
        let what = "the rules cannot be compiled"
        guard emitter.maps.maps.count <= 64 else {
            throw XDPError(
                .refused, what,
                because: "they need \(emitter.maps.maps.count) maps, and a program can have 64",
                remedy: "Use fewer sets in one filter, or put some of the rules into another one")
        }
        guard emitter.layout.depth <= 512 else {
            throw XDPError(
                .refused, what, because: "they need \(emitter.layout.depth) bytes of stack of 512",
                remedy: "Put rules that look at other fields into a filter of their own")
        }
        let assembly: Assembly
        do throws(BytecodeError) {
            assembly = try emitter.code.assemble(longJumps: false)
        } catch {
            throw XDPError(
                .refused, what, because: "the program would be too long (\(error))",
                remedy: "Put addresses or ports that are treated alike into a set")
        }
        let tidy = CodeTidy(assembly.instructions)
        var lines: [DebugInformation.Line] = []
        for (mark, text, line) in emitter.lines {
            let place = tidy.places[assembly.position(of: mark)]
            guard place < tidy.instructions.count else { continue }
            if lines.last?.instruction == place { lines.removeLast() }
            lines.append(.init(instruction: place, file: "rules", text: text, position: UInt32(line) << 10))
        }
        if lines.first?.instruction != 0 {
            lines.insert(.init(instruction: 0, file: "rules", text: "filter", position: 0), at: 0)
        }
        let unit = Unit(
            program: "filter", license: "Dual BSD/GPL", supportsFrags: emitter.input.usesFrags,
            instructions: tidy.instructions, maps: emitter.maps.maps,
            functions: [.init(instruction: 0, name: "filter")], lines: lines)
        let planner = FilterPlanner(emitter, stages)
        let plan = FilterPlan(
            stages: planner.stages, instructions: tidy.instructions.count,
            tableBytes: emitter.maps.tableBytes,
            remarks: planner.remarks)
        return CompiledFilter(unit: unit, roles: emitter.maps.roles, plan: plan)
    }
}
