// SPDX-License-Identifier: Apache-2.0
import Capture
import Testing
import XDP

@Suite("Points in words")
struct TapSelectionTests {
    @Test(
        "every form is understood",
        arguments: [
            ("start", TapSelection(start: true)), ("end", TapSelection(end: true)),
            ("ids:entry", TapSelection(entries: ["ids"])), ("ids:exit", TapSelection(exits: ["ids"])),
            ("ids", TapSelection(entries: ["ids"], exits: ["ids"])),
            ("all", TapSelection(start: true, end: true, allExits: true)),
            ("all:entry,all:exit", TapSelection(allEntries: true, allExits: true)),
            ("ids:exit,end,lb", TapSelection(end: true, entries: ["lb"], exits: ["ids", "lb"])),
        ])
    func forms(text: String, expected: TapSelection) throws {
        #expect(try TapSelection(parsing: text) == expected)
    }

    @Test(
        "what is no point is refused by name",
        arguments: ["", "end,", "ids:exits", "a:b:c", "all:end", ":entry", "next", "i ds", "end:entry:"])
    func refused(text: String) {
        let error = #expect(throws: XDPError.self) { _ = try TapSelection(parsing: text) }
        #expect(error?.kind == .invalid && error?.remedy?.contains("NAME:exit") == true)
    }
}
