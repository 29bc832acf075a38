// SPDX-License-Identifier: Apache-2.0
import XDP

/// Writes what a program does and needs for people, on 80 columns.
struct InspectionText {
    private(set) var lines: [String] = []
    private let program: InspectedProgram

    init(_ program: InspectedProgram) {
        self.program = program
        addHead()
        addVerdicts()
        addUses()
        addMaps()
        addKernel()
        addInterface()
        for note in program.notes { lines.append(Terminal.paragraph(note, indent: 2)) }
    }

    // MARK: Parts

    private mutating func addHead() {
        var origin = ""
        if let object = program.object {
            origin = "in \(PlaceText.file(object)), section \(program.section ?? "")"
        } else if let id = program.id {
            origin = "program \(id), tag \(program.tag ?? "")"
        }
        lines.append("\(Terminal.bold(program.name))  \(origin)")
        var facts = [
            "\(program.instructions) instructions",
            program.functions == 1 ? "1 function" : "\(program.functions) functions",
        ]
        if let bytes = program.stackBytes { facts.append("\(bytes) bytes of stack") }
        if let license = program.license {
            facts.append(license.isEmpty ? "no licence" : "licence \(license)")
        }
        if let frags = program.supportsFrags {
            facts.append(frags ? "for packets in several buffers (xdp.frags)" : "for packets in one buffer")
        }
        lines.append(Terminal.paragraph(facts.joined(separator: ", "), indent: 2))
        if let own = program.runConfiguration {
            let edges =
                own.continuesOn.isEmpty
                ? "ends the chain" : "goes on after \(own.continuesOn.joined(separator: ", "))"
            lines.append("  asks for priority \(own.priority), \(edges)")
        }
    }

    private mutating func addVerdicts() {
        title("VERDICTS")
        if let assumption = program.assumption {
            lines.append(Terminal.paragraph("Everything is assumed: \(assumption)", indent: 2))
        }
        for row in program.verdicts { entry(row.verdict, PlaceText.list(row.places)) }
        if !program.otherCodes.isEmpty {
            entry("others", "codes that are no verdict, \(PlaceText.list(program.otherCodes))")
        }
        if !program.undecided.isEmpty {
            entry("", "what is returned is not to be told, \(PlaceText.list(program.undecided))")
        }
        if program.verdicts.isEmpty, program.otherCodes.isEmpty { entry("", "none of its own") }
        for call in program.tailCalls {
            let map = call.map.map { "the map \($0)" } ?? "a map"
            let entries = call.entries.map { " at \($0.map(String.init).joined(separator: ", "))" } ?? ""
            var text = "what the programs in \(map)\(entries) return, \(PlaceText.list(call.places))"
            if !call.programs.isEmpty {
                text += "; now "
                text += call.programs.map { callee in
                    let verdicts = callee.verdicts.map { $0.isEmpty ? "nothing" : $0.joined(separator: ", ") }
                    return "\(callee.entry): \(callee.name) (\(callee.programID)), which can return "
                        + (verdicts ?? "what could not be found out")
                }.joined(separator: "; ")
            } else if program.id != nil {
                text += "; it holds none now, or cannot be read"
            }
            entry("tail call", text)
        }
    }

    private mutating func addUses() {
        let calls =
            program.helpers.map { ("helper", $0) } + program.kernelFunctions.map { ("kfunc", $0) }
        var rows: [(String, String)] = calls.map { kind, call in
            let module = call.module.map { " [\($0)]" } ?? ""
            return (kind, "\(call.name)\(module), \(PlaceText.list(call.places))")
        }
        for redirect in program.redirects { rows.append(("redirect", Self.text(redirect))) }
        for (name, places) in [
            ("moves head", program.adjusts.head), ("moves tail", program.adjusts.tail),
            ("metadata", program.adjusts.metadata),
        ] where !places.isEmpty {
            rows.append((name, PlaceText.list(places)))
        }
        if let fields = program.contextFields, !fields.isEmpty {
            rows.append(("reads", fields.joined(separator: ", ")))
        }
        if program.mayThrow { rows.append(("throws", "it may leave with bpf_throw")) }
        if !program.unknownCalls.isEmpty {
            let reason = program.hidden.map { "; \($0)" } ?? ""
            rows.append(("unknown", "calls, \(PlaceText.list(program.unknownCalls))\(reason)"))
        }
        guard !rows.isEmpty else { return }
        title("USES")
        for (name, text) in rows { entry(name, text) }
    }

    private static func text(_ redirect: InspectedProgram.RedirectStatus) -> String {
        var text: String
        if redirect.to == "interface" {
            text =
                redirect.interfaces.map { "to interface \($0.map(String.init).joined(separator: ", "))" }
                ?? "to an interface by index, any"
        } else {
            text = "to what is in the \(redirect.to)\(redirect.map.map { " \($0)" } ?? "")"
            if let fallback = redirect.fallback {
                text += ", \(fallback.joined(separator: " or ")) where there is nothing"
            }
        }
        return "\(text), \(PlaceText.list(redirect.places))"
    }

    private mutating func addMaps() {
        guard !program.maps.isEmpty else { return }
        title("MAPS")
        let hasIDs = program.id != nil
        var table = TextTable([.left, .left, .right, .right, .right, .right, .left])
        table.add("NAME", "TYPE", "KEY", "VALUE", "ENTRIES", hasIDs ? "ID" : "", "")
        for map in program.maps {
            var use = map.used ? "" : "unused"
            if map.used, map.role == "tail-calls" { use = "tail calls" }
            if map.used, map.role == "redirect" { use = "redirects" }
            table.add(
                Terminal.shortened(map.name, to: 20), map.type, "\(map.keySize)", "\(map.valueSize)",
                "\(map.maxEntries)", map.id.map { "\($0)" } ?? "", use)
        }
        lines += table.lines(indent: 2)
    }

    private mutating func addKernel() {
        title("KERNEL")
        let newest = program.kernelNeeds.filter { $0.since != nil }.max {
            KernelText.order($0.since ?? "") < KernelText.order($1.since ?? "")
        }
        if let newest, let since = newest.since {
            let lacks = program.kernelNeeds.contains { $0.support != "yes" }
            lines.append(
                Terminal.paragraph(
                    "It needs what Linux has since \(since) (\(newest.name))"
                        + (lacks ? "." : "; this kernel has all of it."), indent: 2))
        } else {
            lines.append("  Nothing but what every kernel with XDP has.")
        }
        for need in program.kernelNeeds where need.support != "yes" {
            let word = need.support == "no" ? "missing" : "unknown"
            entry(word, "\(need.name): \(need.reason ?? "")")
        }
    }

    private mutating func addInterface() {
        title("INTERFACE")
        if program.interfaceNeeds.isEmpty { lines.append("  Nothing but XDP itself.") }
        for need in program.interfaceNeeds {
            let places = need.places.isEmpty ? "" : ", \(PlaceText.list(need.places))"
            lines.append(
                "  " + Terminal.wrapped("\(need.name): \(need.reason)\(places)", indent: 4, column: 2))
        }
    }

    // MARK: Lines

    private mutating func title(_ text: String) {
        lines += ["", Terminal.bold(text)]
    }

    /// A name and what belongs to it.
    private mutating func entry(_ name: String, _ text: String) {
        let start = "  " + name + String(repeating: " ", count: max(0, 10 - name.count)) + "  "
        lines.append(start + Terminal.wrapped(text, indent: start.count, column: start.count))
    }
}

/// Where in the source something stands, for people.
enum PlaceText {
    private static let shown = 4

    /// "ids.c:12, 14, lpm.h:3 and 2 more": each line once.
    static func list(_ places: [PlaceStatus]) -> String {
        var seen: [String] = []
        var words: [String] = []
        var lastFile: String?
        for place in places {
            guard let path = place.file, let line = place.line else {
                append("instruction \(place.instruction)", "instruction \(place.instruction)")
                lastFile = nil
                continue
            }
            let name = file(path)
            // What the compiler gave no line.
            if line == 0 {
                append("\(name):0", name)
                lastFile = nil
                continue
            }
            guard !seen.contains("\(name):\(line)") else { continue }
            append("\(name):\(line)", name == lastFile ? "\(line)" : "\(name):\(line)")
            lastFile = name
        }
        func append(_ key: String, _ text: String) {
            guard !seen.contains(key) else { return }
            seen.append(key)
            words.append(text)
        }
        let rest = words.count - shown
        let text = words.prefix(rest == 1 ? shown + 1 : shown).joined(separator: ", ")
        return rest > 1 ? text + " and \(rest) more" : text
    }

    /// The last part of a path.
    static func file(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
