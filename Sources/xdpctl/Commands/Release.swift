// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Give an adopted program back: alone on the interface, as it was.",
        discussion: """
            Its owner's link stays as it is.

            Examples:
              xdpctl release eth0 katran
              xdpctl release eth0 katran --unload-others
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The member.", completion: .members) var member: String
    @Flag(help: "Take the other members off in the same swap.") var unloadOthers = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = ChainEditor(try Interface(named: interface))
            ChangeOutput(try editor.release(member, unloadingOthers: unloadOthers)).print(options)
        }
    }
}
