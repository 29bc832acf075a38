// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import XDP

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Add programs to the chain of an interface.",
        discussion: """
            Several objects are added in one atomic swap. Without a position each goes where its \
            metadata (.xdp_run_config) says, or behind the others.

            Examples:
              xdpctl load eth0 ids.o
              xdpctl load eth0 ddos.o --first --set limit=1000
              xdpctl load eth0 lb.o mirror.o --mode auto --on tx=mirror
            """)

    @Argument(help: "The interface.", completion: .interfaces) var interface: String
    @Argument(help: "Object files with XDP programs.", completion: .file(extensions: ["o"]))
    var objects: [String]
    @Option(help: "What the member is called; the file's name if nothing is said.") var name: String?
    @OptionGroup(title: "Position") var position: PositionOptions
    @OptionGroup(title: "Object") var object: ObjectOptions
    @Option(help: "native, generic, offload or auto, for a new chain.") var mode: ModeRequest?
    @Option(help: "What the chain counts: off, packets or bytes.") var counters: CounterMode?
    @OptionGroup(title: "Checks") var checks: CheckOptions
    @OptionGroup(title: "General") var options: GlobalOptions

    func run() throws {
        try options.perform { () throws(XDPError) in
            if objects.count > 1, name != nil || object.program != nil {
                throw GlobalOptions.invalid(
                    "The objects cannot be loaded", because: "--name and --program speak of one object",
                    remedy: "Load them one after the other")
            }
            var place = try position.position()
            var requests: [LoadRequest] = []
            for path in objects {
                var request = try object.request(path)
                request.name = name
                request.position = place
                // Several objects keep the order in which they are named.
                if place != nil, place != .last {
                    place = .after(request.name ?? LoadRequest.defaultName(path))
                }
                requests.append(request)
            }
            let editor = try checks.editor(interface)
            ChangeOutput(try editor.load(requests, mode: mode, counters: counters)).print(options)
        }
    }
}

extension ModeRequest: ExpressibleByArgument {}
extension CounterMode: ExpressibleByArgument {}
