// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterApply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Put the rules of a file on an interface.",
        discussion: """
            The rules take the place of those that the filter has in one swap: no packet meets half of them. \
            Counters of rules that stay go on, and so do the elements of sets whose declaration and file stay. \
            With --confirm the old rules come back by themselves unless `xdpctl filter confirm` follows in time, \
            also if the terminal or this command is gone by then.

            Examples:
              xdpctl filter apply eth0 edge.xdp --dry-run
              xdpctl filter apply eth0 edge.xdp --confirm 60s
              echo 'rules { drop udp; default pass }' | xdpctl filter apply eth0 -
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The rule file; - for standard input.", completion: .file(extensions: ["xdp"]))
    var file: String
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "Position") var position: PositionOptions
    @Option(help: "native, generic, offload or auto, for a new chain.") var mode: ModeRequest?
    @Flag(
        help: """
            Handle packets of several buffers (jumbo frames, LRO), for some 9 ns each; without it where the MTU \
            or the other members need it.
            """)
    var frags = false
    @OptionGroup(title: "Change") var change: FilterChangeOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            var editor = try filter.editor(interface)
            try change.prepare(&editor)
            editor.position = try position.position()
            editor.mode = mode
            let rules = try RuleInput.rules(file)
            let place = file == "-" ? "standard input" : file
            let warnings = RuleChecks.warnings(in: rules).map { warning in
                Finding(
                    .refused, file: place, line: warning.place.line, column: warning.place.column,
                    warning.what, remedy: warning.remedy)
            }
            var source = FilterSource(rules, path: file == "-" ? nil : file)
            if frags { source.handlesFrags = true }
            let report = try editor.apply(source)
            FilterChangeOutput(report, warnings: warnings).print(options)
        }
    }
}
