// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Take a rule out of a filter.",
        discussion: """
            The rule is named by what it says, in whatever spelling, or by its number. Of rules that are alike the \
            first one goes.

            Examples:
              xdpctl filter delete eth0 'drop udp dport 53 src 198.51.100.7'
              xdpctl filter delete eth0 --number 3
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The rule, as it stands in a rule file.") var rule: String?
    @Option(help: "The rule's number.") var number: Int?
    @Option(help: "Among the rules of a group, not among the main ones.") var group: String?
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "Change") var change: FilterChangeOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let what = "The rule cannot be deleted on \(interface)"
            guard (rule == nil) != (number == nil) else {
                throw GlobalOptions.invalid(
                    what, because: "either the rule or its number has to be named")
            }
            var editor = try filter.editor(interface)
            try change.prepare(&editor)
            let report = try editor.edit(what) { rules throws(XDPError) in
                if let rule {
                    let meant = try RuleFile.parseRule(rule, in: rules, group: group)
                    try rules.remove(alike: meant, group: group, what)
                } else if let number {
                    try rules.remove(number: number, group: group, what)
                }
            }
            FilterChangeOutput(report).print(options)
        }
    }
}
