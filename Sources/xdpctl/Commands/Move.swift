// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Move: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Change the place of a member.")

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "The member.", completion: .members) var member: String
    @OptionGroup(title: "Position") var position: PositionOptions
    @OptionGroup(title: "Checks") var checks: CheckOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            guard let place = try position.position() else {
                throw GlobalOptions.invalid(
                    "\(member) cannot be moved", because: "no place is named",
                    remedy: "Say --first, --last, --before MEMBER or --after MEMBER")
            }
            let editor = try checks.editor(interface)
            ChangeOutput(try editor.move(member, to: place)).print(options)
        }
    }
}
