// SPDX-License-Identifier: Apache-2.0

/// Writes a status report for people, on 80 columns.
enum StatusText {
    static func print(_ report: StatusReport) {
        print(report.interfaces)
        for lost in report.lostChains ?? [] { Swift.print(Terminal.wrapped(lost.text, indent: 4)) }
    }

    /// Namespaces with programs one after the other, those without in a line.
    static func print(_ report: NamespacesReport) {
        for namespace in report.namespaces where namespace.hasPrograms {
            Swift.print(Terminal.bold(Terminal.wrapped("namespace \(namespace.title)", indent: 4)))
            print(namespace.interfaces)
            Swift.print("")
        }
        let idle = report.namespaces.filter { !$0.hasPrograms }.map(\.title)
        if !idle.isEmpty {
            Swift.print(
                Terminal.wrapped("no XDP program in namespace \(idle.joined(separator: ", "))", indent: 4))
        }
        if report.hiddenProcesses > 0 {
            Swift.print(
                Terminal.wrapped(
                    ProgramText.hidden(report.hiddenProcesses) + "; a namespace may be missing", indent: 4))
        }
        for namespace in report.namespaces {
            guard let error = namespace.error else { continue }
            Swift.print(Terminal.wrapped("namespace \(namespace.title): \(error)", indent: 4))
        }
    }

    private static func print(_ interfaces: [InterfaceStatus]) {
        var isFirst = true
        for interface in interfaces where interface.state != "none" {
            if !isFirst { Swift.print("") }
            isFirst = false
            print(interface)
        }
        let idle = interfaces.filter { $0.state == "none" }.map(\.name)
        guard !idle.isEmpty else { return }
        if !isFirst { Swift.print("") }
        Swift.print(Terminal.wrapped("no XDP program on \(idle.joined(separator: ", "))", indent: 4))
    }

    private static func print(_ interface: InterfaceStatus) {
        let mode = interface.mode ?? ""
        if let chain = interface.chain {
            for line in ChainText(chain, on: interface.name, mode: mode).lines { Swift.print(line) }
        } else if let program = interface.program {
            Swift.print(
                "\(Terminal.bold(interface.name))  \(mode) mode, one program that xdpctl did not load")
            for line in ProgramText.lines(program) { Swift.print(line) }
            if let reason = interface.unreadable {
                Swift.print("  a chain that cannot be read: \(reason)")
            } else {
                for line in AdoptionHint.lines(interface.name, program) {
                    Swift.print("  " + Terminal.wrapped(line, indent: 4, column: 2))
                }
            }
        }
    }
}
