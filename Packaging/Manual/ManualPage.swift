// SPDX-License-Identifier: Apache-2.0

/// One page, made of a command's definition and of what is the same on all pages.
struct ManualPage {
    /// What the head and foot of each page say.
    struct Edition {
        let date: String
        let version: String
    }

    /// `xdpctl`, or `xdpctl load`.
    let path: [String]
    let command: CommandHelp
    let edition: Edition
    /// The names of all pages, for references.
    let pages: [String]

    var name: String { path.joined(separator: "-") }
    private var isRoot: Bool { path.count == 1 }

    func text() -> String {
        var roff = Roff()
        roff.comment("SPDX-License-Identifier: Apache-2.0")
        roff.macro(
            "TH", name.uppercased(), "8", edition.date, "swift-xdp \(edition.version)", "xdpctl manual")
        // No hyphenation and a ragged margin: words are commands here.
        roff.macro("nh")
        roff.macro("ad", "l")
        roff.macro("SH", "NAME")
        roff.text("\(Roff.escaped(name)) \\- \(Roff.prose(sentence(command.abstract)))")
        roff.macro("SH", "SYNOPSIS")
        if command.children.isEmpty || !isRoot { writeUse(of: command, path, to: &roff) }
        if isRoot {
            roff.text("\(Roff.bold("xdpctl")) \(Roff.italic("command")) [\(Roff.italic("argument"))...]")
            roff.macro("br")
            roff.text("\(Roff.bold("xdpctl")) \(Roff.bold("help")) [\(Roff.italic("command"))]")
        }
        let discussion = Discussion(command.discussion ?? "")
        roff.macro("SH", "DESCRIPTION")
        roff.text(Roff.prose(command.abstract ?? ""))
        if isRoot { SharedText.writeDescription(to: &roff) }
        discussion.write(to: &roff)
        if isRoot { writeCommands(to: &roff) } else { writeChildren(to: &roff) }
        write(command.ownArguments + sharedArguments, heading: "SH", to: &roff)
        if isRoot { writeCommon(to: &roff) }
        SharedText.writeStatus(to: &roff)
        SharedText.writeJSON(to: &roff)
        if isRoot { SharedText.writeFiles(to: &roff) }
        discussion.writeExamples(to: &roff)
        writeReferences(to: &roff)
        return roff.output
    }

    /// `xdpctl load [options] interface objects ...`
    private func writeUse(of command: CommandHelp, _ path: [String], to roff: inout Roff) {
        if !command.children.isEmpty {
            for child in command.children { writeUse(of: child, path + [child.commandName], to: &roff) }
            return
        }
        var words = [path.map { Roff.bold($0) }.joined(separator: " "), "[\(Roff.italic("options"))]"]
        for argument in command.ownArguments where argument.isPositional {
            let word = Roff.italic(argument.value) + (argument.isRepeating ? "..." : "")
            words.append(argument.isOptional ? "[\(word)]" : word)
        }
        if roff.lines.last?.hasPrefix(".SH") == false { roff.macro("br") }
        roff.text(words.joined(separator: " "))
    }

    private func writeCommands(to roff: inout Roff) {
        roff.macro("SH", "COMMANDS")
        for child in command.children {
            roff.macro("TP")
            roff.macro("BR", Roff.escaped("\(name)-\(child.commandName)"), "(8)")
            roff.text(Roff.prose(child.abstract ?? ""))
        }
    }

    /// A command with commands of its own, such as `lab`, describes them all on its page.
    private func writeChildren(to roff: inout Roff) {
        guard !command.children.isEmpty else { return }
        roff.macro("SH", "COMMANDS")
        let shared = sharedArguments.map(\.key)
        for child in command.children {
            roff.macro("SS", Roff.escaped((path + [child.commandName]).joined(separator: " ")))
            roff.text(Roff.prose(child.abstract ?? ""))
            let discussion = Discussion(child.discussion ?? "")
            discussion.write(to: &roff)
            discussion.writeExamples(heading: "PP", to: &roff)
            write(child.ownArguments.filter { !shared.contains($0.key) }, heading: nil, to: &roff)
        }
    }

    /// What all commands below this one take, which is described once.
    private var sharedArguments: [ArgumentHelp] {
        guard let first = command.children.first else { return [] }
        return first.ownArguments.filter { argument in
            command.children.allSatisfy { $0.ownArguments.contains { $0.key == argument.key } }
        }
    }

    /// Arguments first, then the options by the titles of their groups, in the order of the help.
    private func write(_ all: [ArgumentHelp], heading: String?, to roff: inout Roff) {
        let positional = all.filter(\.isPositional)
        if let heading, !positional.isEmpty { roff.macro(heading, "ARGUMENTS") }
        for argument in positional { write(argument, to: &roff) }
        let options = all.filter { !$0.isPositional }
        if let heading, !options.isEmpty { roff.macro(heading, "OPTIONS") }
        for argument in options where argument.sectionTitle == nil { write(argument, to: &roff) }
        var titles: [String] = []
        for case let title? in options.map(\.sectionTitle) where !titles.contains(title) {
            titles.append(title)
        }
        for title in titles {
            if heading != nil { roff.macro("SS", Roff.escaped(title)) }
            for argument in options where argument.sectionTitle == title { write(argument, to: &roff) }
        }
    }

    private func write(_ argument: ArgumentHelp, to roff: inout Roff) {
        roff.macro("TP")
        if argument.isPositional {
            roff.text(Roff.italic(argument.value) + (argument.isRepeating ? "..." : ""))
        } else {
            let value = argument.kind == "option" ? " " + Roff.italic(argument.value) : ""
            roff.text((argument.names ?? []).map { Roff.bold($0.text) }.joined(separator: ", ") + value)
        }
        var text = Roff.prose(argument.abstract ?? "")
        // Where the abstract names them it has said how they differ.
        if !argument.values.allSatisfy((argument.abstract ?? "").contains) {
            text += " One of " + argument.values.map { Roff.bold($0) }.joined(separator: ", ") + "."
        }
        if let value = argument.defaultValue, argument.kind == "option" || argument.isPositional {
            text += " Default: " + Roff.bold(value) + "."
        }
        roff.text(text.isEmpty ? "\\&" : text)
        if let discussion = argument.discussion, !discussion.isEmpty { roff.text(Roff.prose(discussion)) }
    }

    private func writeCommon(to roff: inout Roff) {
        roff.macro("SH", "OPTIONS")
        for argument in command.arguments ?? [] where argument.isCommon && argument.shouldDisplay {
            write(argument, to: &roff)
        }
    }

    private func writeReferences(to roff: inout Roff) {
        roff.macro("SH", "SEE ALSO")
        let own = pages.filter { $0 != name && (isRoot || $0 == path[0] || Self.areNear($0, name)) }
        let others =
            name.hasSuffix("-capture") ? [("pcap-filter", "7"), ("tcpdump", "8"), ("wireshark", "1")] : []
        let references = own.map { ($0, "8") } + [("bpftool", "8"), ("ip-link", "8")] + others
        for (offset, reference) in references.enumerated() {
            let comma = offset == references.count - 1 ? "" : ","
            roff.macro("BR", Roff.escaped(reference.0), "(\(reference.1))\(comma)")
        }
    }

    /// Commands that change or show the same thing refer to each other: all but the lab.
    private static func areNear(_ one: String, _ other: String) -> Bool {
        !one.hasSuffix("-lab") && !other.hasSuffix("-lab")
    }

    /// An abstract without the dot at its end, for the NAME section.
    private func sentence(_ abstract: String?) -> String {
        let text = abstract ?? ""
        let words = text.hasSuffix(".") ? String(text.dropLast()) : text
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}
