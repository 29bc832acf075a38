// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a rule to a filter.",
        discussion: """
            Without a place it becomes the last rule before the policy. `filter list` shows the numbers of rules \
            with --numbers.

            Examples:
              xdpctl filter add eth0 'drop udp dport 53 src 198.51.100.7'
              xdpctl filter add eth0 'pass src 192.0.2.7' --at 1
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The rule, as it stands in a rule file.") var rule: String
    @OptionGroup(title: "Place") var place: RulePlaceOptions
    @OptionGroup(title: "Filter") var filter: FilterOptions
    @OptionGroup(title: "Change") var change: FilterChangeOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            var editor = try filter.editor(interface)
            try change.prepare(&editor)
            let what = "The rule cannot be added on \(interface)"
            let report = try editor.edit(what) { rules throws(XDPError) in
                let new = try RuleFile.parseRule(rule, in: rules, group: place.group)
                try rules.insert(new, at: try place.index(in: rules, what), group: place.group, what)
            }
            FilterChangeOutput(report).print(options)
        }
    }
}

/// Where a rule goes.
struct RulePlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Make it the rule of this number.", valueName: "number")) var at: Int?
    @Option(help: ArgumentHelp("Just before a rule.", valueName: "number")) var before: Int?
    @Option(help: ArgumentHelp("Just behind a rule.", valueName: "number")) var after: Int?
    @Option(help: "Among the rules of a group, not among the main ones.") var group: String?

    /// The index among the rules; their end if nothing is said.
    func index(in rules: RuleSet, _ what: String) throws(XDPError) -> Int {
        let said = [at, before, after.map { $0 + 1 }].compactMap { $0 }
        guard said.count <= 1 else {
            throw GlobalOptions.invalid(what, because: "one of --at, --before and --after is enough")
        }
        let count = try rules.rules(ofGroup: group, what).count
        guard let number = said.first else { return count }
        guard (1...count + 1).contains(number), after.map({ $0 >= 1 }) ?? true else {
            throw XDPError(
                .refused, what, because: "there is no rule of that number: \(count) rules are there",
                remedy: "`xdpctl filter list --numbers` shows them")
        }
        return number - 1
    }
}
