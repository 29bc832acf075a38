// SPDX-License-Identifier: Apache-2.0
import XDP

/// The library in a dozen lines: chains two objects on an interface and shows what their members decided.
///
///     chain-example eth0 ddos.o ids.o
@main
enum ChainExample {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let name = arguments.first, arguments.count > 1 else {
            return print("usage: chain-example INTERFACE OBJECT…")
        }
        let editor = ChainEditor(try Interface(named: name))
        let report = try editor.load(arguments.dropFirst().map { LoadRequest(path: $0) }, mode: .auto)
        print("\(report.interface), \(report.mode) mode, change \(report.generation)")
        guard case .chain(let active) = try Interface(named: name).occupant() else { return }
        for (member, counters) in zip(active.manifest.chain.members, try active.counters() ?? []) {
            print("\(member.name): \(counters.total.packets) packets, \(counters[.drop].packets) dropped")
        }
    }
}
