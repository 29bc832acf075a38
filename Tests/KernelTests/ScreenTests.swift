// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// Live views on a terminal. Needs root.
@Suite("Live views on a terminal")
struct ScreenTests {
    private static let enter = "\u{1b}[?1049h"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    private func start(
        _ bench: ChainBench, _ words: [String], columns: UInt16 = 80, lines: UInt16 = 24
    ) throws -> PseudoTerminal {
        try PseudoTerminal(
            Subprocess.binary("xdpctl"), words + ["--netns", bench.path], columns: columns, lines: lines)
    }

    /// The lines of the last picture, without what only places or colours them.
    private func picture(_ text: String) -> [String] {
        guard
            let last = text.components(separatedBy: "\u{1b}[H").last?.components(separatedBy: "\u{1b}[J")
                .first
        else { return [] }
        var plain = ""
        var isSequence = false
        for character in last {
            if character == "\u{1b}" { isSequence = true }
            if !isSequence { plain.append(character) }
            if isSequence, character.isLetter { isSequence = false }
        }
        // The terminal adds a carriage return of its own; with the line feed it is one character to Swift.
        return plain.split(separator: "\r\n", omittingEmptySubsequences: false).map {
            String($0.filter { $0 != "\r" })
        }
    }

    private static let views = [
        ["stats", "near", "--watch", "--every", "0.2"], ["top", "near", "--every", "0.2"],
    ]

    @Test("a view is drawn in place, and Ctrl-C leaves the terminal as it was", arguments: views)
    func interrupted(_ words: [String]) throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let terminal = try start(bench, words)

        #expect(terminal.wait { $0.components(separatedBy: "\u{1b}[H").count > 3 }, "\(terminal.text)")
        terminal.type([3])

        #expect(terminal.end() == 0, "\(terminal.text)")
        let text = terminal.text
        #expect(text.components(separatedBy: Self.enter).count == 2)
        #expect(text.hasSuffix(Self.leave) || text.contains(Self.leave), "\(text)")
        #expect(text.components(separatedBy: Self.leave).count == 2)
        // Lines are not continued in the next one meanwhile, and are again afterwards.
        #expect(text.contains("\u{1b}[?7l") && text.contains("\u{1b}[?7h" + Self.leave), "\(text)")
        #expect(picture(text).count <= 24 && picture(text).allSatisfy { $0.count <= 80 }, "\(picture(text))")
        #expect(picture(text).contains { $0.contains("choose") }, "\(picture(text))")
    }

    @Test("SIGTERM, and an interface that goes away, leave the terminal as it was, too")
    func ended() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose")
        let terminal = try start(bench, Self.views[0])
        #expect(terminal.wait { $0.contains("\u{1b}[J") })
        kill(terminal.processID, SIGTERM)
        #expect(terminal.end() == 0 && terminal.text.contains(Self.leave))

        let other = try start(bench, Self.views[0])
        #expect(other.wait { $0.contains("\u{1b}[J") })
        try bench.namespace.run { [bench] in
            var route = try RouteSocket()
            try route.deleteLink(bench.index)
        }
        #expect(other.end() == 1, "\(other.text)")
        let parts = other.text.components(separatedBy: Self.leave)
        #expect(parts.count == 2 && parts[1].contains("the interface is gone"), "\(other.text)")
    }

    @Test("a view follows the size of the window, and never writes beyond it")
    func resized() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let terminal = try start(
            bench, ["stats", "near", "--watch", "--every", "30", "--verbose"], columns: 120, lines: 50)
        #expect(terminal.wait { $0.contains("\u{1b}[J") })
        let large = picture(terminal.text)
        terminal.forget()
        terminal.resize(columns: 30, lines: 8)

        #expect(terminal.wait { $0.contains("\u{1b}[J") }, "it is drawn anew at once")
        let small = picture(terminal.text)
        #expect(large.count > 20)
        #expect(small.count == 8 && small.allSatisfy { $0.count <= 30 }, "\(small)")
        #expect(small.last?.hasPrefix("… ") == true, "\(small)")
        terminal.type([3])
        #expect(terminal.end() == 0)
    }
}
