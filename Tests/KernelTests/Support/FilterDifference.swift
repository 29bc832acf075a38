// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import XDP

@testable import Filter

/// Holds compiled rule sets against the evaluator.
struct FilterDifference {
    /// How many packets were the same, and what the packets met.
    var pairs = 0
    var verdicts: [Verdict: Int] = [:]
    /// The bytes of a packet's first buffer, where a packet may have more.
    var firstBuffer: Int?

    /// Compares on packets; nil if all is the same, else what is not.
    mutating func compare(
        _ rules: RuleSet, _ packets: [RandomPacket], knowsSets: Bool, isLinked: Bool = false
    ) throws(XDPError) -> String? {
        let program = try FilterProgram(rules, knowsSets: knowsSets, isLinked: isLinked)
        var evaluator = Evaluator(rules, interfaces: FilterProgram.interfaces)
        var expected: [CounterPlace: FilterProgram.Count] = [:]
        for packet in packets {
            let decision = evaluator.decide(fields(of: packet))
            let verdict = try run(program, packet)
            guard verdict == decision.verdict.rawValue else {
                return """
                    the program says \(verdict), the evaluator \(decision.verdict) (\(decision.rule)) of \
                    \(packet.hex)
                    """
            }
            for place in program.places(of: decision) {
                expected[place, default: .init()].packets += 1
                expected[place, default: .init()].bytes += UInt64(packet.bytes.count)
            }
            pairs += 1
            verdicts[decision.verdict, default: 0] += 1
        }
        let counts: [CounterPlace: FilterProgram.Count]
        do throws(BPFError) {
            counts = try program.counts()
        } catch {
            throw XDPError(error, during: "The counters are read")
        }
        guard counts != expected else { return nil }
        let places = Set(counts.keys).union(expected.keys).filter { counts[$0] != expected[$0] }
        return places.map { place in
            "counter \(place.number): the program has \(counts[place] ?? .init()), expected \(expected[place] ?? .init())"
        }.joined(separator: "\n")
    }

    /// The answer of the plain code alone.
    func fields(of packet: RandomPacket) -> PacketFields {
        PacketFields(
            packet: firstBuffer.map { Array(packet.bytes.prefix($0)) } ?? packet.bytes,
            length: packet.bytes.count, interface: FilterProgram.ingress)
    }

    private func run(_ program: FilterProgram, _ packet: RandomPacket) throws(XDPError) -> UInt32 {
        do throws(BPFError) {
            return try program.verdict(packet.bytes)
        } catch {
            throw XDPError(error, during: "The filter is run on \(packet.bytes.count) bytes")
        }
    }

    /// What differs, with as few rules and packets as show it.
    func minimised(_ rules: RuleSet, _ packets: [RandomPacket], _ difference: String, knowsSets: Bool)
        -> String
    {
        var (rules, packets, difference) = (rules, packets, difference)
        func differs(_ rules: RuleSet, _ packets: [RandomPacket]) -> String? {
            var fresh = Self()
            fresh.firstBuffer = firstBuffer
            do throws(XDPError) {
                return try fresh.compare(rules, packets, knowsSets: knowsSets)
            } catch {
                return nil
            }
        }
        for packet in packets {
            guard let found = differs(rules, [packet]) else { continue }
            (packets, difference) = ([packet], found)
            break
        }
        for index in rules.rules.indices.reversed() {
            var fewer = rules
            fewer.rules.remove(at: index)
            if let found = differs(fewer, packets) { (rules, difference) = (fewer, found) }
        }
        for group in rules.groups.indices {
            for index in rules.groups[group].rules.indices.reversed() {
                var fewer = rules
                fewer.groups[group].rules.remove(at: index)
                if let found = differs(fewer, packets) { (rules, difference) = (fewer, found) }
            }
        }
        return "\(difference)\n\(rules.text)"
    }
}

extension RuleSet {
    /// Without lives that end while a test runs.
    var withoutShortLives: RuleSet {
        var rules = self
        for set in rules.sets.indices {
            rules.sets[set].timeout = rules.sets[set].timeout.map { max($0, 3600) }
            for element in rules.sets[set].elements.indices {
                let timeout = rules.sets[set].elements[element].timeout
                rules.sets[set].elements[element].timeout = timeout.map { max($0, 3600) }
            }
        }
        return rules
    }
}
