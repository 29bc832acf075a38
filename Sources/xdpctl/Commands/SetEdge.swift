// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct SetEdge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edge",
        abstract: "Change where packets go after a verdict of a member.",
        discussion: """
            VERDICT is aborted, drop, pass, tx or redirect. NEXT is a member, `next` (the one behind), \
            `end` (the verdict is the packet's) or `default` (pass goes on, all else ends).

            Examples:
              xdpctl edge eth0 lb tx=mirror pass=end
              xdpctl edge eth0 lb tx=default
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The member.", completion: .members) var member: String
    @Argument(help: ArgumentHelp("The edges.", valueName: "verdict=next")) var edges: [String]
    @OptionGroup(title: "Checks") var checks: CheckOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            var parsed: [Verdict: Edge?] = [:]
            for text in edges {
                let (verdict, edge) = try ObjectOptions.edge(text)
                parsed[verdict] = .some(edge == .member("default") ? nil : edge)
            }
            let editor = try checks.editor(interface)
            ChangeOutput(try editor.setEdges(member, parsed)).print(options)
        }
    }
}
