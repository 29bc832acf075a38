// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import XDP

@Suite("Changes of a chain")
struct ChainTests {
    private func chain(_ names: String...) -> Chain {
        Chain(members: names.map { .of($0, [.exit]) })
    }

    private func names(_ chain: Chain) -> [String] { chain.members.map(\.name) }

    @Test(
        "a member goes where it was asked to",
        arguments: [
            (Position.first, ["new", "a", "b", "c"]), (.last, ["a", "b", "c", "new"]),
            (.before("b"), ["a", "new", "b", "c"]), (.after("b"), ["a", "b", "new", "c"]),
            (.before("a"), ["new", "a", "b", "c"]), (.after("c"), ["a", "b", "c", "new"]),
            (.byPriority, ["a", "b", "c", "new"]),
        ])
    func insert(at position: Position, expected: [String]) throws {
        var chain = chain("a", "b", "c")

        try chain.insert(.of("new", [.exit]), at: position)

        #expect(names(chain) == expected)
    }

    @Test("programs with priorities stand as libxdp orders them: lower first, equal ones as they came")
    func priorities() throws {
        var chain = Chain()
        for (name, priority) in [("a", 50), ("b", 10), ("c", 50), ("d", 90), ("e", 20), ("f", 50)] {
            var member = Member.of(name, [.exit])
            member.priority = UInt32(priority)
            try chain.insert(member, at: .byPriority)
        }

        #expect(names(chain) == ["b", "e", "a", "c", "f", "d"])
    }

    @Test("a position beside somebody unknown is refused with the names that there are")
    func unknownPosition() {
        var chain = chain("a", "b")

        let error = #expect(throws: XDPError.self) {
            try chain.insert(.of("new", [.exit]), at: .before("z"))
        }

        #expect(error?.kind == .refused)
        #expect(error?.why == "the chain has a, b")
        #expect(names(chain) == ["a", "b"])
    }

    @Test(
        "names that are taken, reserved or unprintable are refused",
        arguments: [
            "a", "next", "end", "all", "", ".", "..", "-x", "a b", "naïve", "a/b", "a\n",
            String(repeating: "x", count: 64),
        ])
    func badNames(_ name: String) {
        var chain = chain("a")

        let error = #expect(throws: XDPError.self) { try chain.insert(.of(name, [.exit]), at: .last) }

        #expect(error?.kind == (name == "a" ? .refused : .invalid))
        #expect(names(chain) == ["a"])
    }

    @Test("ordinary names are taken", arguments: ["b", "ids-2.v1", "X_9", String(repeating: "x", count: 63)])
    func goodNames(_ name: String) throws {
        var chain = chain("a")

        try chain.insert(.of(name, [.exit]), at: .last)

        #expect(names(chain) == ["a", name])
    }

    @Test("a member that an edge leads to is not removed, unless the edges may go")
    func remove() throws {
        var chain = chain("a", "b", "c")
        try chain.setEdge("a", after: .tx, to: .member("c"))
        try chain.setEdge("a", after: .drop, to: .member("b"))
        let before = chain

        let error = #expect(throws: XDPError.self) { try chain.remove("c") }

        #expect(error?.kind == .refused)
        #expect(error?.why == "packets that a gives tx are led to it")
        #expect(chain == before)
        let removed = try chain.remove("c", droppingEdges: true)
        #expect(removed.name == "c")
        #expect(names(chain) == ["a", "b"])
        #expect(chain["a"]?.edges == [.drop: .member("b")])
    }

    @Test("a member's edge to itself does not keep it")
    func removeSelfEdge() throws {
        var chain = chain("a", "b")
        try chain.setEdge("b", after: .tx, to: .member("b"))

        try chain.remove("b")

        #expect(names(chain) == ["a"])
    }

    @Test("removing somebody unknown is refused")
    func removeUnknown() {
        var chain = chain()

        let error = #expect(throws: XDPError.self) { try chain.remove("a") }

        #expect(error?.why == "the chain is empty")
    }

    @Test(
        "a member moves to any place and keeps its edges",
        arguments: [
            (Position.first, ["b", "a", "c"]), (.last, ["a", "c", "b"]), (.before("a"), ["b", "a", "c"]),
            (.after("c"), ["a", "c", "b"]), (.byPriority, ["a", "c", "b"]),
        ])
    func move(to position: Position, expected: [String]) throws {
        var chain = chain("a", "b", "c")
        try chain.setEdge("b", after: .drop, to: .next)

        try chain.move("b", to: position)

        #expect(names(chain) == expected)
        #expect(chain["b"]?.edges == [.drop: .next])
    }

    @Test("a move beside oneself is refused", arguments: [Position.before("a"), .after("a")])
    func moveBesideItself(_ position: Position) {
        var chain = chain("a", "b")

        let error = #expect(throws: XDPError.self) { try chain.move("a", to: position) }

        #expect(error?.kind == .invalid)
        #expect(names(chain) == ["a", "b"])
    }

    @Test("a move to somebody unknown changes nothing")
    func moveUnknown() {
        var chain = chain("a", "b")

        #expect(throws: XDPError.self) { try chain.move("a", to: .after("z")) }

        #expect(names(chain) == ["a", "b"])
    }

    @Test("edges are set, reset, and refused to unknown members")
    func edges() throws {
        var chain = chain("a", "b")

        try chain.setEdge("a", after: .drop, to: .member("b"))
        #expect(chain["a"]?.edge(after: .drop) == .member("b"))
        try chain.setEdge("a", after: .drop, to: nil)
        #expect(chain["a"]?.edge(after: .drop) == .end)
        #expect(chain["a"]?.edge(after: .pass) == .next)
        let error = #expect(throws: XDPError.self) {
            try chain.setEdge("a", after: .drop, to: .member("z"))
        }
        #expect(error?.what == "There is no member z")
    }
}
