// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

/// What can be said of an object that is loaded or put in the place of another.
struct ObjectOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The program, where the object has several.", valueName: "function"))
    var program: String?

    @Option(
        name: .customLong("on"),
        help: ArgumentHelp(
            "Where packets go after a verdict: next, end or a member. Repeatable.", valueName: "verdict=next")
    )
    var edges: [String] = []

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Give a global variable its value. Repeatable.", valueName: "name=value"))
    var variables: [String] = []

    @Option(
        name: .customLong("max-entries"),
        help: ArgumentHelp(
            "Set the size of a map. Repeatable.", valueName: "map=n"))
    var maximumEntries: [String] = []

    @Option(
        name: .customLong("reuse-map"),
        help: ArgumentHelp(
            "Use a map that exists. Repeatable.", valueName: "map=path|id:n"))
    var reusedMaps: [String] = []

    @Option(
        name: .customLong("pin-maps"),
        help: ArgumentHelp(
            "Pin all maps of the object in a directory of the BPF file system.", valueName: "directory"),
        completion: .directory)
    var pinDirectory: String?

    @Flag(
        help: "Give it a program of its own, which can be exchanged alone in microseconds; +9 ns a packet.")
    var isolate = false

    /// The request for one object.
    func request(_ path: String) throws(XDPError) -> LoadRequest {
        var request = LoadRequest(path: path)
        request.program = program
        for text in edges {
            let (verdict, edge) = try Self.edge(text)
            request.edges[verdict] = edge
        }
        for text in variables {
            let (name, value) = try Self.pair(text, "--set", "NAME=VALUE")
            request.variables[name] = value
        }
        for text in maximumEntries {
            let (name, value) = try Self.pair(text, "--max-entries", "MAP=N")
            guard let count = UInt32(value), count > 0 else {
                throw GlobalOptions.invalid(
                    "--max-entries \(text) is not understood", because: "\(value) is no size")
            }
            request.maximumEntries[name] = count
        }
        for text in reusedMaps {
            let (name, value) = try Self.pair(text, "--reuse-map", "MAP=PATH or MAP=id:N")
            guard let map = LoadRequest.ExistingMap(parsing: value) else {
                throw GlobalOptions.invalid(
                    "--reuse-map \(text) is not understood", because: "\(value) is neither a path nor id:N")
            }
            request.reusedMaps[name] = map
        }
        request.pinDirectory = pinDirectory
        request.isIsolated = isolate
        return request
    }

    /// Reads "drop=lb".
    static func edge(_ text: String) throws(XDPError) -> (Verdict, Edge) {
        let (name, target) = try pair(text, "The edge", "VERDICT=NEXT, as in drop=lb")
        guard let verdict = Verdict(parsing: name) else {
            throw GlobalOptions.invalid(
                "The edge \(text) is not understood", because: "\(name) is no verdict",
                remedy: "Verdicts are \(Verdict.allCases.map(\.description).joined(separator: ", "))")
        }
        return (verdict, Edge(parsing: target))
    }

    static func pair(_ text: String, _ option: String, _ form: String) throws(XDPError) -> (String, String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
            text.index(after: equals) != text.endIndex || option == "--set"
        else {
            throw GlobalOptions.invalid(
                "\(option) \(text) is not understood", because: "it has the form \(form)")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
}

/// Where a member goes in the order.
struct PositionOptions: ParsableArguments {
    @Flag(help: "Before all others.")
    var first = false

    @Flag(help: "Behind all others.")
    var last = false

    @Option(help: ArgumentHelp("Just before a member.", valueName: "member"), completion: .members)
    var before: String?

    @Option(help: ArgumentHelp("Just behind a member.", valueName: "member"), completion: .members)
    var after: String?

    /// What was said; nil if nothing was.
    func position() throws(XDPError) -> Position? {
        let said: [Position?] = [
            first ? .first : nil, last ? .last : nil, before.map { .before($0) }, after.map { .after($0) },
        ]
        let positions = said.compactMap { $0 }
        guard positions.count <= 1 else {
            throw GlobalOptions.invalid(
                "The position is not clear", because: "one of --first, --last, --before and --after is enough"
            )
        }
        return positions.first
    }
}
