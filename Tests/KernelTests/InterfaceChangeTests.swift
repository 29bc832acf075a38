// SPDX-License-Identifier: Apache-2.0
import Netlink
import Synchronization
import SystemPackage
import TestSupport
import Testing
import XDP

/// The interface changes while its chain does: between the look at it and the swap. Needs root.
@Suite("Interfaces that change under a change")
struct InterfaceChangeTests {
    /// What somebody does to the interface.
    enum Event: CaseIterable, Sendable {
        case deleted, renamed, moved, setDown
    }

    private static func perform(
        _ event: Event, on bench: ChainBench, other: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        var route = try RouteSocket(in: bench.namespace)
        switch event {
        case .deleted: try route.deleteLink(bench.index)
        case .renamed: try route.rename(bench.index, to: "newname")
        case .moved: try route.move(bench.index, to: other)
        case .setDown: try route.setDown(bench.index)
        }
    }

    @Test("a first load meets an interface that changes", arguments: Event.allCases)
    func firstLoad(_ event: Event) throws {
        if event == .renamed { try KernelNeed.renamingWhileUp.check() }
        let bench = try ChainBench()
        let other = try NetworkNamespace.makePrivate()
        let built = try bench.namespace.run {
            try MemberBuilder().build(LoadRequest(path: Fixture.path("pass")))
        }

        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.change("It cannot be loaded", resources: built.maps) { chain throws(XDPError) in
                    do throws(NetlinkError) {
                        try Self.perform(event, on: bench, other: other)
                    } catch {
                        throw XDPError(error, during: "The disturbance")
                    }
                    try chain.insert(built.member, at: .last)
                    return []
                }
            }
        }

        switch event {
        case .deleted, .moved:
            #expect(error?.what == "It cannot be loaded", "\(error.debugText)")
            #expect(error?.why.contains("near is gone: deleted, or moved") == true, "\(error.debugText)")
        case .renamed:
            #expect(error == nil, "\(error.debugText)")
            #expect(try bench.chain("newname").manifest.chain.members.map(\.name) == ["pass"])
        case .setDown:
            #expect(error == nil, "\(error.debugText)")
            #expect(try bench.memberNames() == ["pass"])
        }
        cleanUp(other)
    }

    @Test("a change of a chain meets an interface that changes", arguments: Event.allCases)
    func change(_ event: Event) throws {
        if event == .renamed { try KernelNeed.renamingWhileUp.check() }
        let bench = try ChainBench()
        let other = try NetworkNamespace.makePrivate()
        try bench.load("drop")
        let link = try #require(try bench.chain().linkID)
        let built = try bench.namespace.run {
            try MemberBuilder().build(LoadRequest(path: Fixture.path("pass")))
        }
        let isFirst = Atomic(true)

        let error = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.change("It cannot be loaded", resources: built.maps) { chain throws(XDPError) in
                    do throws(NetlinkError) {
                        if isFirst.exchange(false, ordering: .relaxed) {
                            try Self.perform(event, on: bench, other: other)
                        }
                    } catch {
                        throw XDPError(error, during: "The disturbance")
                    }
                    try chain.insert(built.member, at: .last)
                    return []
                }
            }
        }

        switch event {
        case .deleted:
            #expect(error?.why.contains("near is gone: deleted, or moved") == true, "\(error.debugText)")
            // The pin of the lost link is swept by the next first load anywhere.
            let elsewhere = try ChainBench()
            try elsewhere.load("pass")
            #expect(!BPFPins.links().contains(link))
        case .moved:
            // The link goes along with the interface, and so does the chain.
            #expect(error == nil, "\(error.debugText)")
            let occupant = try other.run { try Interface(named: "near").occupant() }
            guard case .chain(let active) = occupant else {
                Issue.record("nothing runs where the interface went")
                return
            }
            #expect(active.manifest.chain.members.map(\.name) == ["drop", "pass"])
        case .renamed:
            #expect(error == nil, "\(error.debugText)")
            #expect(try bench.chain("newname").manifest.chain.members.map(\.name) == ["drop", "pass"])
        case .setDown:
            #expect(error == nil, "\(error.debugText)")
            #expect(try bench.memberNames() == ["drop", "pass"])
        }
        cleanUp(other)
    }

    @Test("an interface that is not there is named, with the way to find those that are")
    func missing() throws {
        let bench = try ChainBench()

        let error = bench.failure { try bench.edit("nosuch") { editor throws(XDPError) in editor.interface } }

        #expect(error?.kind == .failed)
        #expect(error?.what == "nosuch cannot be looked up")
        #expect(error?.remedy?.contains("`ip link`") == true)
    }

    @Test("an interface that was deleted and made again is another one")
    func again() throws {
        let bench = try ChainBench()
        let editor = try bench.edit { editor throws(XDPError) in editor }
        var route = try RouteSocket(in: bench.namespace)
        try route.deleteLink(bench.index)
        try route.createVeth("near", peer: "far")
        let request = LoadRequest(path: try Fixture.path("pass"))

        let error = bench.failure { try bench.namespace.run { try editor.load([request]) } }

        #expect(error?.why.contains("near is gone") == true, "\(error.debugText)")
        #expect(try bench.memberNames().isEmpty)
    }
}
