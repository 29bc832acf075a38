// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Counters: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters",
        abstract: "Switch the verdict counters of a chain.")

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "off, packets or bytes.") var counters: CounterMode
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            let editor = ChainEditor(try Interface(named: interface))
            ChangeOutput(try editor.setCounters(counters)).print(options)
        }
    }
}
