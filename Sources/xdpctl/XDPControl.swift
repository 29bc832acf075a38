// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc

/// The command and its subcommands.
struct XDPControl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xdpctl",
        abstract: "Run any number of XDP programs on an interface.",
        discussion: """
            Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused by a check before anything was tried.

            Examples:
              xdpctl load eth0 ids.o lb.o
              xdpctl status eth0
              xdpctl load eth0 ddos.o --first
              xdpctl unload eth0 --all
            """,
        version: Version.text,
        subcommands: [
            Status.self, Load.self, Unload.self, Move.self, SetEdge.self, Replace.self, Adopt.self,
            Release.self, Counters.self, Fallback.self, Apply.self, Export.self, Features.self, Inspect.self,
            DoctorCommand.self, LabCommand.self, FilterCommand.self, CaptureCommand.self, Monitor.self,
            Stats.self, Top.self,
            Explain.self,
        ])
}

/// Runs the command and turns what it throws into an exit status and a message.
@main
enum Main {
    static func main() {
        if Status.isAnswered(CommandLine.arguments.dropFirst()) { exit(0) }
        var status: Int32 = 0
        do {
            var command = try XDPControl.parseAsRoot()
            try command.run()
        } catch let failure as CommandFailure {
            status = failure.report()
        } catch {
            status = usage(error)
        }
        // Flushes what was printed.
        exit(status)
    }

    /// Help and version are no failures; what the parser refuses is wrong usage.
    private static func usage(_ error: any Error) -> Int32 {
        let code = XDPControl.exitCode(for: error)
        let text = XDPControl.fullMessage(for: error)
        if code == .success {
            print(text)
            return 0
        }
        if !text.isEmpty { Terminal.error(text) }
        return code == .validationFailure ? 2 : code.rawValue
    }
}
