// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import XDP

@Suite("The graph of a chain")
struct ChainGraphTests {
    private func chain(_ edges: [[Verdict: Edge]]) -> Chain {
        Chain(members: edges.enumerated().map { .scripted($0.offset, edges: $0.element) })
    }

    @Test("pass leads to the next member and everything else ends, unless edges say otherwise")
    func defaults() throws {
        let graph = try ChainGraph(chain([[:], [:], [:]]))

        #expect(graph.nodes.map(\.member) == [0, 1, 2])
        #expect(graph.nodes.map(\.targets) == [[.pass: 1], [.pass: 2], [:]])
        #expect(graph.unreachable.isEmpty)
    }

    @Test("an empty chain has an empty graph")
    func empty() throws {
        #expect(try ChainGraph(Chain()).nodes.isEmpty)
    }

    @Test("every edge of the order leads forward, also one to a member that stands earlier")
    func backward() throws {
        // 0 → 2 → 1, so that 1 runs last although it stands in the middle.
        let graph = try ChainGraph(
            chain([[.pass: .member("m2")], [.pass: .end], [.pass: .member("m1"), .tx: .member("m1")]]))

        #expect(graph.nodes.map(\.member) == [0, 2, 1])
        #expect(graph.nodes.map(\.targets) == [[.pass: 1], [.pass: 2, .tx: 2], [:]])
    }

    @Test("members of the same rank stay in the user's order")
    func stable() throws {
        let graph = try ChainGraph(
            chain([
                [.pass: .member("m1"), .drop: .member("m2"), .tx: .member("m3")], [.pass: .end],
                [.pass: .end], [:],
            ]))

        #expect(graph.nodes.map(\.member) == [0, 1, 2, 3])
    }

    @Test("a cycle is named member by member", arguments: cycles)
    func cycle(edges: [[Verdict: Edge]], names: String) {
        let error = #expect(throws: XDPError.self) { _ = try ChainGraph(chain(edges)) }

        #expect(error?.kind == .refused)
        #expect(error?.why == names)
    }

    static let cycles: [([[Verdict: Edge]], String)] = [
        ([[.drop: .member("m0")]], "m0 → m0"),
        ([[:], [.tx: .member("m0")]], "m0 → m1 → m0"),
        ([[:], [:], [.drop: .member("m1")], [:]], "m1 → m2 → m1"),
        (
            [[.pass: .member("m3")], [.pass: .member("m3")], [.pass: .member("m1")], [.pass: .member("m2")]],
            "m3 → m2 → m1 → m3"
        ),
    ]

    @Test("a circle that no packet can enter is no reason to refuse")
    func unreachableCycle() throws {
        let graph = try ChainGraph(
            chain([[.pass: .end], [.pass: .member("m2")], [.pass: .member("m1")]]))

        #expect(graph.nodes.map(\.member) == [0])
        #expect(graph.unreachable == [1, 2])
    }

    @Test("an edge to a name that is not there says whose and to whom")
    func unknown() {
        let error = #expect(throws: XDPError.self) {
            _ = try ChainGraph(chain([[:], [.redirect: .member("mirror")]]))
        }

        #expect(error?.kind == .refused)
        #expect(error?.what == "m1 cannot lead redirect to mirror")
    }

    @Test("members that no edge leads to are told")
    func unreachable() throws {
        let graph = try ChainGraph(chain([[.pass: .member("m2")], [:], [:], [:]]))

        #expect(graph.nodes.map(\.member) == [0, 2, 3])
        #expect(graph.unreachable == [1])
    }

    @Test("two thousand members in a line do not exhaust the stack")
    func long() throws {
        let graph = try ChainGraph(chain([[Verdict: Edge]](repeating: [:], count: 2000)))

        #expect(graph.nodes.count == 2000)
    }
}
