// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import TestSupport
import XDP

/// A bench whose chains stand on a TAP device: when a packet is written, it has been judged and counted.
final class FilterBench: Sendable {
    let bench: ChainBench

    init() throws {
        bench = try ChainBench(withTAP: true)
    }

    /// Works on the filter of `tap`, inside the namespace.
    @discardableResult
    func edit<T: Sendable>(
        _ settings: @Sendable (inout FilterEditor) -> Void = { _ in },
        _ body: @Sendable (FilterEditor) throws(XDPError) -> T
    ) throws -> T {
        try bench.namespace.run {
            var editor = FilterEditor(try Interface(named: "tap"))
            editor.overridesChecks = true
            settings(&editor)
            return try body(editor)
        }
    }

    /// Puts the rules of a text on `tap`.
    @discardableResult
    func apply(
        _ text: String, _ settings: @Sendable (inout FilterEditor) -> Void = { _ in }
    ) throws -> FilterReport {
        let rules = try RuleFile.parse(Array(text.utf8), file: "test")
        return try edit(settings) { editor throws(XDPError) in
            try editor.apply(FilterSource(rules, path: nil))
        }
    }

    func filter(_ name: String? = nil) throws -> LiveFilter {
        try bench.namespace.run { try LiveFilter.find(on: try Interface(named: "tap"), name: name) }
    }

    /// What each rule and the policy counted, by their text; of alike ones the first.
    func counted(_ name: String? = nil) throws -> [String: UInt64] {
        var found: [String: UInt64] = [:]
        for (identity, counter) in try filter(name).counted() {
            switch identity {
            case .rule(_, let text, 0): found[text] = counter.packets
            case .rule: break
            case .counter(let name): found[name] = counter.packets
            case .policy: found["default"] = counter.packets
            }
        }
        return found
    }

    /// Lets packets arrive at `tap`.
    func send(_ packet: Packet, times count: Int = 1) throws {
        for _ in 0..<count { try bench.tap?.write(packet) }
    }

    /// What the members of the chain counted of a verdict.
    func verdicts(_ verdict: Verdict) throws -> [String: UInt64] {
        let active = try bench.chain("tap")
        let names = active.manifest.chain.members.map(\.name)
        let counters = try active.counters() ?? []
        return Dictionary(uniqueKeysWithValues: zip(names, counters.map { $0[verdict].packets }))
    }

    func members() throws -> [String] {
        guard case .chain(let active) = try bench.occupant("tap") else { return [] }
        return active.manifest.chain.members.map(\.name)
    }

    /// A UDP packet to a port.
    static func udp(_ port: UInt16, from source: Packet.IPv4 = "192.0.2.1") -> Packet {
        .ethernet().ipv4(from: source).udp(to: port).padded(to: 60)
    }
}
