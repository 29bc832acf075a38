// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Writes a manual page for the command and each of its subcommands:
///
///     xdpctl --experimental-dump-help | manual DIRECTORY DATE VERSION
@main
enum Manual {
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 3, let directory = words.first else {
            complain("usage: xdpctl --experimental-dump-help | manual DIRECTORY DATE VERSION")
            exit(2)
        }
        do {
            let help = try JSONDecoder().decode(
                ToolHelp.self, from: FileHandle.standardInput.readDataToEndOfFile())
            guard help.serializationVersion == 0 else {
                complain("the help has format \(help.serializationVersion), this program reads 0")
                exit(1)
            }
            let edition = ManualPage.Edition(
                date: words[words.startIndex + 1], version: words[words.endIndex - 1])
            for page in pages(of: help.command, edition) {
                let url = URL(fileURLWithPath: directory).appendingPathComponent("\(page.name).8")
                try Data(page.text().utf8).write(to: url)
            }
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func pages(of root: CommandHelp, _ edition: ManualPage.Edition) -> [ManualPage] {
        let commands =
            [([root.commandName], root)] + root.children.map { ([root.commandName, $0.commandName], $0) }
        let names = commands.map { $0.0.joined(separator: "-") }
        return commands.map { ManualPage(path: $0.0, command: $0.1, edition: edition, pages: names) }
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("manual: \(text)\n".utf8))
    }
}
