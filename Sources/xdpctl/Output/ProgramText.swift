// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// Writes what is known of a program of others, on 80 columns. Names come from others too, and are cleaned.
enum ProgramText {
    /// The lines below the interface's own.
    static func lines(_ program: ProgramStatus) -> [String] {
        let name = program.name.isEmpty ? "without a name" : Terminal.clean(program.name)
        let holder = program.linkID.map { "held by link \($0)" } ?? "attached by netlink"
        var lines = ["program \(program.id) \(name), tag \(program.tag), \(holder)", loading(program)]
        if let size = sizes(program) { lines.append(size) }
        lines += holders(program)
        lines = lines.map { Terminal.paragraph($0, indent: 4, column: 2) }
        if let dispatcher = program.dispatcher { lines += Self.lines(dispatcher) }
        return lines
    }

    /// Who loaded it and who holds the program itself.
    static func origin(_ program: ProgramStatus) -> [String] {
        let holders = program.processes.filter { $0.holds.contains("program") }.prefix(shownHolders)
        return [loading(program)]
            + holders.map { "process \($0.pid) (\(Terminal.clean($0.command))) holds the program" }
    }

    private static func loading(_ program: ProgramStatus) -> String {
        let user = program.userName.map(Terminal.clean) ?? "user \(program.loadedByUser)"
        let moment = localTime(time(nil) - Int(program.loadedSecondsAgo))
        return "loaded by \(user) \(age(program.loadedSecondsAgo)) ago, \(moment)"
    }

    /// The largest unit that says enough: "3 minutes", "2 days".
    static func age(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(86400, "day"), (3600, "hour"), (60, "minute")]
        for (size, name) in units where seconds >= size {
            let count = seconds / size
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }

    private static func localTime(_ moment: Int) -> String {
        var moment = time_t(moment)
        var parts = tm()
        guard localtime_r(&moment, &parts) != nil else { return "" }
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func sizes(_ program: ProgramStatus) -> String? {
        var parts: [String] = []
        if program.verifiedInstructions > 0 {
            parts.append("\(Number.grouped(UInt64(program.verifiedInstructions))) instructions verified")
        }
        if program.machineCodeBytes > 0 {
            parts.append("\(Number.grouped(UInt64(program.machineCodeBytes))) bytes of machine code")
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// Processes and pins; there may be many.
    private static let shownHolders = 6

    private static func holders(_ program: ProgramStatus) -> [String] {
        var lines = program.processes.prefix(shownHolders).map { process in
            "process \(process.pid) (\(Terminal.clean(process.command))) holds the "
                + process.holds.joined(separator: " and the ")
        }
        if program.processes.count > shownHolders {
            lines.append("and \(program.processes.count - shownHolders) more processes")
        }
        lines += program.pins.prefix(shownHolders).map { "\(Terminal.clean($0.path)) pins the \($0.holds)" }
        if program.pins.count > shownHolders {
            lines.append("and \(program.pins.count - shownHolders) more pins")
        }
        if program.morePins { lines.append("there are too many pins to look at all of them") }
        if program.hiddenProcesses > 0 {
            lines.append(hidden(program.hiddenProcesses) + " and may hold it too")
        } else if program.processes.isEmpty, program.pins.isEmpty {
            lines.append(
                program.linkID == nil
                    ? "no process and no pin holds it, the interface alone does"
                    : "no process and no pin that can be found holds it")
        }
        return lines
    }

    /// "3 processes cannot be looked into (…)".
    static func hidden(_ processes: Int) -> String {
        let remedy = Capability.effective().contains(.processTracing) ? "" : " (CAP_SYS_PTRACE is missing)"
        return "\(processes) process\(processes == 1 ? "" : "es") cannot be looked into\(remedy)"
    }

    private static func lines(_ dispatcher: DispatcherStatus) -> [String] {
        let frags = dispatcher.supportsFrags == true ? ", handles frags" : ""
        guard dispatcher.known else {
            let names = dispatcher.components.map { "\($0.position) " + Terminal.clean($0.name ?? "?") }
            return [
                Terminal.paragraph(
                    "it is a dispatcher of \(dispatcher.kind), version \(dispatcher.version), which this xdpctl "
                        + "does not know; in it: " + (names.isEmpty ? "?" : names.joined(separator: ", ")),
                    indent: 4, column: 2)
            ]
        }
        let count = dispatcher.components.count
        let title =
            "  it is a dispatcher of \(dispatcher.kind), version \(dispatcher.version)\(frags), with "
            + "\(count) program\(count == 1 ? "" : "s"):"
        var table = TextTable([.right, .right, .left, .left, .right, .left])
        table.add("PLACE", "ID", "NAME", "TAG", "PRIORITY", "CONTINUES ON")
        let others = dispatcher.components.map { component in
            (
                component.programID.map { "\($0)" } ?? "", component.priority.map { "\($0)" } ?? "",
                continuation(component)
            )
        }
        // What the other columns leave of a line.
        let room =
            80 - 4 - 5 - 16 - 5 * 2 - max(2, others.map(\.0.count).max() ?? 0)
            - max(8, others.map(\.1.count).max() ?? 0) - max(12, others.map(\.2.count).max() ?? 0)
        for (component, (id, priority, continuation)) in zip(dispatcher.components, others) {
            let name = component.name.map(Terminal.clean) ?? "(not to be found)"
            table.add(
                "\(component.position)", id, Terminal.shortened(name, to: max(8, room)), component.tag ?? "",
                priority, continuation)
        }
        return [title] + table.lines(indent: 4)
    }

    /// The verdicts after which the next program runs.
    private static func continuation(_ component: DispatcherStatus.ComponentStatus) -> String {
        guard let verdicts = component.continuesOn else { return "" }
        if verdicts.isEmpty { return "nothing" }
        return verdicts.count == Verdict.allCases.count ? "every verdict" : verdicts.joined(separator: " ")
    }
}
