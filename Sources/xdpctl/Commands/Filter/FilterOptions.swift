// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

/// Which filter a command speaks of.
struct FilterOptions: ParsableArguments {
    @Option(
        help:
            "Which filter, where an interface has several, and what a new one is called; filter if nothing is said.",
        completion: .members)
    var name: String?

    func editor(_ interface: String) throws(XDPError) -> FilterEditor {
        var editor = FilterEditor(try Interface(named: interface))
        editor.name = name
        return editor
    }

    func find(_ interface: String) throws(XDPError) -> LiveFilter {
        try LiveFilter.find(on: try Interface(named: interface), name: name)
    }
}

/// What commands take that change rules.
struct FilterChangeOptions: ParsableArguments {
    @Flag(
        help:
            "Compile the rules, have the kernel's verifier take them, say what would change, and change nothing."
    )
    var dryRun = false
    @Option(
        help: ArgumentHelp(
            "Go back to the rules as they are after this time, unless `filter confirm` comes before.",
            valueName: "time"))
    var confirm: String?
    @Flag(help: "Make the change although a check finds an error, and say what will happen.")
    var force = false

    func prepare(_ editor: inout FilterEditor) throws(XDPError) {
        editor.isDryRun = dryRun
        editor.overridesChecks = force
        editor.confirmSeconds = try confirm.map(Self.seconds)
    }

    /// Reads "60s", "5m", "1h" and bare seconds.
    static func seconds(_ text: String) throws(XDPError) -> UInt64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factor: UInt64? =
            switch text.dropFirst(digits.count) {
            case "", "s": 1
            case "m": 60
            case "h": 3600
            default: nil
            }
        guard let factor, let number = UInt64(digits), (1...86_400).contains(number),
            number * factor <= 86_400
        else {
            throw GlobalOptions.invalid(
                "--confirm \(text) is not understood", because: "it is no time between one second and a day",
                remedy: "Write 60s, 5m or 1h")
        }
        return number * factor
    }
}
