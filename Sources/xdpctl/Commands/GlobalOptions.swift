// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Netlink
import XDP

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Flag(help: "Print JSON (Documentation/json.md).")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Work in another network namespace.", valueName: "name|path|pid"), completion: .namespaces)
    var netns: String?

    @Flag(name: .shortAndLong, help: "Show everything, such as the whole verifier log.")
    var verbose = false

    /// Enters the namespace and runs the command's work, with its errors made ready for the user.
    func perform(_ body: () throws(XDPError) -> Void) throws {
        do throws(XDPError) {
            try enterNamespace()
            try body()
        } catch {
            throw CommandFailure(error: error, options: self)
        }
    }

    private func enterNamespace() throws(XDPError) {
        guard let netns else { return }
        do throws(NetlinkError) {
            try NetworkNamespace(parsing: netns).enter()
        } catch {
            throw XDPError(
                .failed, "The network namespace \(netns) cannot be entered", because: error.description,
                remedy: "`ip netns` lists those with names; a path or the number of a process do as well")
        }
    }

    /// Refuses what the parser cannot see.
    static func invalid(_ what: String, because why: String, remedy: String? = nil) -> XDPError {
        XDPError(.invalid, what, because: why, remedy: remedy)
    }
}
