// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import XDP

@Suite("Points of taps")
struct TapTests {
    private static func chain(_ members: [Int], _ selection: TapSelection) -> Chain {
        var chain = Chain(members: members.map { .scripted($0) })
        chain.taps = [.scripted(0, guardID: 601, selection: selection)]
        return chain
    }

    @Test("points are numbered on the packet's way, then the ends, and only those that are meant")
    func order() throws {
        var chain = Self.chain([0, 1], TapSelection(start: true, end: true, allExits: true, entries: ["m1"]))

        try chain.settleTaps()

        #expect(
            chain.taps[0].points.map { "\($0) \($0.member)" } == [
                "start ", "m0:exit m0", "m1:entry m1", "m1:exit m1", "end m0", "end m1",
            ])
    }

    @Test("a point keeps its number through whatever happens to the chain")
    func stable() throws {
        var chain = Self.chain([0, 1], TapSelection(end: true, allExits: true))
        try chain.settleTaps()
        let before = chain.taps[0].points

        try chain.remove("m0")
        try chain.insert(.scripted(2), at: .first)
        try chain.settleTaps()
        let after = chain.taps[0].points
        try chain.insert(.scripted(0), at: .first)
        try chain.settleTaps()

        #expect(after.prefix(before.count) == before[...])
        #expect(after.dropFirst(before.count).map(\.member) == ["m2", "m2"])
        #expect(chain.taps[0].points == after)
    }

    @Test("an empty chain has a start and an end, also after it had members")
    func empty() throws {
        var chain = Self.chain([], TapSelection(start: true, end: true, allEntries: true))
        try chain.settleTaps()
        #expect(chain.taps[0].points == [TapPoint(.start), TapPoint(.end)])

        try chain.insert(.scripted(0), at: .last)
        try chain.settleTaps()

        #expect(chain.taps[0].points.dropFirst(2).map(\.description) == ["m0:entry", "end"])
    }

    @Test("more points than can be told apart are refused, with what to do")
    func tooMany() throws {
        var chain = Self.chain(Array(0..<341), TapSelection(end: true, allEntries: true, allExits: true))
        try chain.settleTaps()
        #expect(chain.taps[0].points.count == 1023)
        try chain.insert(.scripted(341), at: .last)

        let error = #expect(throws: XDPError.self) { try chain.settleTaps() }

        #expect(error?.kind == .refused && error?.remedy?.contains("--at") == true)
    }

    @Test("a loan lasts as long as the chain is what it was made for")
    func loan() throws {
        var adopted = Member.scripted(0)
        adopted.adopted = AdoptedProgram(tag: "", loadTime: 0, userID: 0, linkID: nil, attachType: .xdp)
        var chain = Chain()
        #expect(chain.isMoreThanLent)
        chain.loan = .made
        #expect(!chain.isMoreThanLent)
        try chain.insert(adopted, at: .last)
        #expect(chain.isMoreThanLent)
        chain.loan = .adopted("m0")
        #expect(!chain.isMoreThanLent)
        try chain.insert(.scripted(1), at: .last)
        #expect(chain.isMoreThanLent)
    }
}
