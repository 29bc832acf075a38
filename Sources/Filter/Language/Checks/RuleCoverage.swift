// SPDX-License-Identifier: Apache-2.0

/// Finds, for a rule, an earlier one that decides about all of its packets.
///
/// Rules that decide are kept by their shape (of which fields they want one value or one network) and those
/// values. A rule asks each shape once, with its own values: so it takes as long as there are shapes, not rules.
struct RuleCoverage {
    private struct Shape: Hashable {
        /// A bit for each number field that is one value.
        var numbers: UInt32 = 0
        /// The network's length, 256 more for IPv6; -1 without one.
        var source: Int16 = -1
        var destination: Int16 = -1
    }

    private struct Candidate {
        var index: Int
        var match: Match
    }

    private var shapes: [Shape: [[UInt64]: [Candidate]]] = [:]
    /// Beyond so many shapes further ones are not looked for, and beyond so many rules of one value.
    private static let mostShapes = 512
    private static let mostCandidates = 64

    /// Remembers a rule that decides.
    mutating func insert(_ index: Int, _ match: Match) {
        var shape = Shape()
        var numbers = [UInt32?](repeating: nil, count: NumberField.allCases.count)
        var networks: [AddressField: IPPrefix] = [:]
        let parts: [Match]
        if case .all(let inner) = match { parts = inner } else { parts = [match] }
        for part in parts {
            switch part {
            case .test(.number(let field, let ranges)) where ranges.count == 1 && ranges[0].count == 1:
                shape.numbers |= 1 << field.index
                numbers[Int(field.index)] = ranges[0].lowerBound
            case .test(.address(let field, let list)) where list.count == 1: networks[field] = list[0]
            default: break
            }
        }
        shape.source = Self.length(networks[.source])
        shape.destination = Self.length(networks[.destination])
        guard shapes[shape] != nil || shapes.count < Self.mostShapes else { return }
        var key = numbers.compactMap { $0.map(UInt64.init) }
        for field in AddressField.allCases { if let network = networks[field] { key += Self.words(network) } }
        if shapes[shape, default: [:]][key, default: []].count < Self.mostCandidates {
            shapes[shape, default: [:]][key, default: []].append(Candidate(index: index, match: match))
        }
    }

    /// The first rule that decides about everything in a region.
    func cover(of region: MatchRegion) -> Int? {
        var first: Int?
        let known = NumberField.allCases.reduce(0 as UInt32) { known, field in
            region.numbers[field]?.single == nil ? known : known | 1 << field.index
        }
        for (shape, rules) in shapes where shape.numbers & ~known == 0 {
            guard let key = key(of: region, shape), let candidates = rules[key] else { continue }
            for candidate in candidates where candidate.index < first ?? .max {
                if region.implies(candidate.match) {
                    first = candidate.index
                    break
                }
            }
        }
        return first
    }

    private func key(of region: MatchRegion, _ shape: Shape) -> [UInt64]? {
        var key: [UInt64] = []
        for field in NumberField.allCases where shape.numbers & 1 << field.index != 0 {
            guard let value = region.numbers[field]?.single else { return nil }
            key.append(UInt64(value))
        }
        for (field, length) in [(AddressField.source, shape.source), (.destination, shape.destination)]
        where length >= 0 {
            // All networks have to be in the one of the rule, so the first one says which it would be.
            guard let network = region.addresses[field]?.first, network.isIPv6 == (length >= 256),
                network.length >= length & 255,
                let wider = IPPrefix(network.address, length: Int(length & 255))
            else { return nil }
            key += Self.words(wider)
        }
        return key
    }

    private static func length(_ network: IPPrefix?) -> Int16 {
        network.map { Int16($0.length) + ($0.isIPv6 ? 256 : 0) } ?? -1
    }

    private static func words(_ network: IPPrefix) -> [UInt64] {
        let bytes = network.address.bytes
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<min(start + 8, bytes.count)].reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}

extension NumberField {
    fileprivate static let places = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($1, UInt32($0)) })

    /// Its place among all.
    fileprivate var index: UInt32 { Self.places[self] ?? 0 }
}

extension [ClosedRange<UInt32>] {
    /// The only value.
    fileprivate var single: UInt32? {
        count == 1 && self[0].lowerBound == self[0].upperBound ? self[0].lowerBound : nil
    }
}
