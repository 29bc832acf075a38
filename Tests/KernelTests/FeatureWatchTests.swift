// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// `xdpctl features --watch`, and what it is made of. Needs root.
@Suite("Watching features")
struct FeatureWatchTests {
    private static func tells() throws -> Bool {
        let socket = try NetdevSocket.whereKnown()
        return socket != nil
    }

    @Test(
        "the netdev family tells of an interface that comes, of its peer that gets a program, and of one that goes"
    )
    func monitor() throws {
        guard try Self.tells() else {
            try Test.skip("this kernel does not tell what drivers can do (Linux 6.3)")
        }
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        var monitor = try namespace.run { try NetdevMonitor() }

        let near = try route.createVeth("near", peer: "far").index
        let far = try route.link(named: "far").index
        let program = try namespace.run { try RunningProgram(on: far) }
        withExtendedLifetime(program) {}
        try route.deleteLink(near)

        var events: [NetdevEvent] = []
        while let event = try monitor.next(timeoutMilliseconds: 500) { events.append(event) }
        let about = events.filter { $0.device.index == near }
        #expect(about.first.map { if case .added = $0 { true } else { false } } == true)
        #expect(about.last.map { if case .deleted = $0 { true } else { false } } == true)
        #expect(
            about.contains {
                if case .changed(let device) = $0 {
                    device.features?.contains(.transmit) == true
                } else {
                    false
                }
            })
    }

    @Test("the monitor tells what changed, from what to what")
    func library() throws {
        let bench = try ChainBench()
        try bench.setGRO(false, of: "far")
        let (changed, gone) = try bench.namespace.run { [index = bench.index] in
            var monitor = try FeatureMonitor()
            var route = try RouteSocket()
            try route.setMTU(1400, of: index)
            let changed = try Self.all(&monitor)
            try route.deleteLink(index)
            return (changed, try Self.all(&monitor))
        }

        let changes = changed.compactMap { event in
            if case .changed(let features, let changes) = event { (features.name, changes) } else { nil }
        }
        #expect(changes.map(\.0) == ["near"], "\(changed)")
        #expect(changes.first?.1.map(\.what) == ["mtu"] && changes.first?.1.first?.after == "1400")
        let names = gone.compactMap { event in
            if case .gone(let features) = event { features.name } else { nil }
        }
        #expect(Set(names) == ["near", "far"] && names.count == gone.count, "\(gone)")
    }

    /// What comes until it is quiet.
    private static func all(_ monitor: inout FeatureMonitor) throws -> [FeatureEvent] {
        var events: [FeatureEvent] = []
        while true {
            let more = try monitor.next(timeoutMilliseconds: 500)
            if more.isEmpty { return events }
            events += more
        }
    }

    @Test("nothing that matters is no event, and the wait ends")
    func quiet() throws {
        let bench = try ChainBench()

        let events = try bench.namespace.run {
            var monitor = try FeatureMonitor()
            return try monitor.next(timeoutMilliseconds: 50)
        }

        #expect(events.isEmpty)
    }

    /// A line of --watch --json.
    private struct Line: Decodable, Equatable {
        struct Change: Decodable, Equatable {
            let what: String
            let before: String?
            let after: String?
        }
        let event: String
        let interface: String?
        let changes: [Change]?
        let interfaces: [String]?
    }

    /// A watching process, which is ended with this value.
    private final class Watch {
        private let process: Subprocess
        private var text = ""

        init(_ words: String..., in bench: ChainBench) throws {
            process = try Subprocess(
                Subprocess.binary("xdpctl"), ["features", "--watch"] + words + ["--netns", bench.path])
        }

        deinit {
            kill(process.processID, SIGTERM)
            _ = try? process.wait()
        }

        /// The lines up to one that fits.
        func lines(until isLast: (String) -> Bool) throws -> [String] {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let deadline = ContinuousClock.now + .seconds(20)
            while ContinuousClock.now < deadline {
                let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
                    String.init)
                if whole.contains(where: isLast) { return whole }
                var entry = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 500) > 0 else { continue }
                let count = read(process.output, &buffer, buffer.count)
                guard count > 0 else { break }
                text += String(decoding: buffer.prefix(count), as: UTF8.self)
            }
            Issue.record("not seen: \(text)")
            return []
        }
    }

    @Test("--watch prints a line when the peer of a veth gets a program, when one comes and when one goes")
    func text() throws {
        let bench = try ChainBench()
        try bench.setGRO(false, of: "far")
        let watch = try Watch(in: bench)
        _ = try watch.lines { $0.hasPrefix("watching lo, ") }

        let program = try bench.run(on: bench.far)
        // An older kernel does not tell of a program that a link holds; the MTU is told of, and all is read anew.
        var route = try RouteSocket(in: bench.namespace)
        if try !Self.tells() { try route.setMTU(1400, of: bench.index) }
        let changed = try watch.lines { $0.hasPrefix("near: ") }
        withExtendedLifetime(program) {}
        try route.createLink("bridge", kind: "bridge")
        _ = try watch.lines { $0 == "bridge: is there now" }
        try route.deleteLink(bench.index)
        let all = try watch.lines { $0 == "near: is gone" }

        #expect(changed.contains { $0.hasPrefix("near: ") && $0.contains("ndo-xmit no → yes") }, "\(changed)")
        #expect(all.contains("near: is gone"))
    }

    @Test("--watch --json prints one object a line, of the interfaces that are named")
    func json() throws {
        let bench = try ChainBench()
        try bench.setGRO(false, of: "far")
        let watch = try Watch("--json", "near", in: bench)
        _ = try watch.lines { $0.contains("watching") }

        var route = try RouteSocket(in: bench.namespace)
        try route.setMTU(1400, of: bench.far)
        try route.setMTU(1300, of: bench.index)
        _ = try watch.lines { $0.contains("1300") }
        try route.deleteLink(bench.index)
        let lines = try watch.lines { $0.contains("gone") }

        let schema = try JSONSchema("features-event.json", in: JSONSchema.documented())
        for line in lines { #expect(try schema.problems(JSONValue(parsing: line)) == [], "\(line)") }
        let events = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(events.first?.interfaces == ["near"])
        #expect(events.dropFirst().allSatisfy { $0.interface == "near" })
        #expect(
            events.contains {
                $0.changes?.contains(.init(what: "mtu", before: "1500", after: "1300")) == true
            })
        #expect(events.last?.event == "gone")
    }
}
