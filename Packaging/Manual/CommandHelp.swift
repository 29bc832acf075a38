// SPDX-License-Identifier: Apache-2.0

/// What `xdpctl --experimental-dump-help` prints: the part of it that a manual page shows.
///
/// The format is swift-argument-parser's `ToolInfoV0`; `serializationVersion` is 0.
struct ToolHelp: Decodable {
    let serializationVersion: Int
    let command: CommandHelp
}

/// A command and those below it.
struct CommandHelp: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool?
    let subcommands: [CommandHelp]?
    let arguments: [ArgumentHelp]?

    /// The commands below it that have a page or a section; `help` explains itself.
    var children: [CommandHelp] {
        (subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
    }

    /// What is said of the command's own use, without what every command has.
    var ownArguments: [ArgumentHelp] {
        (arguments ?? []).filter { $0.shouldDisplay && !$0.isCommon }
    }
}

/// An argument, an option or a flag.
struct ArgumentHelp: Decodable {
    struct Name: Decodable {
        let kind: String
        let name: String

        var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
    }

    let kind: String
    let abstract: String?
    let discussion: String?
    let names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let allValues: [String]?
    let allValueStrings: [String]?
    let sectionTitle: String?
    let isOptional: Bool
    let isRepeating: Bool
    let shouldDisplay: Bool

    /// What tells it from others of the same command.
    var key: String { names?.first?.text ?? value }
    var isPositional: Bool { kind == "positional" }
    var value: String { valueName ?? "value" }
    /// The values of an enumeration; the key was renamed between versions of the parser.
    var values: [String] { allValueStrings ?? allValues ?? [] }

    /// `--help` and `--version` are described once, in the page of the whole command.
    var isCommon: Bool {
        (names ?? []).contains { $0.name == "help" || $0.name == "version" }
    }
}
