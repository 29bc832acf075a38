// SPDX-License-Identifier: Apache-2.0

extension MatchRegion {
    /// Whether a match is true for every packet of the region; false also where that cannot be said.
    func implies(_ match: Match) -> Bool {
        if facts.contains(match) { return true }
        switch match {
        case .always: return true
        case .all(let parts): return parts.allSatisfy(implies)
        case .any(let parts): return impliesOne(of: parts)
        case .test(let test): return implies(test)
        case .not(let inner): return excludes(inner)
        }
    }

    private func implies(_ test: Test) -> Bool {
        switch test {
        case .number(let field, let ranges):
            return numbers[field].map { NumberRanges.contains(ranges, all: $0) } ?? false
        case .address(let field, let networks):
            guard let known = addresses[field], known.count * networks.count <= 4096 else { return false }
            return known.allSatisfy { one in networks.contains { $0.covers(one) } }
        case .mac(let field, let values): return macs[field]?.isSubset(of: values) ?? false
        case .interface(let names): return interfaces?.isSubset(of: names) ?? false
        case .tcpFlags(let value, let mask):
            guard let flags else { return false }
            return mask & ~flags.mask == 0 && flags.value & mask == value
        case .fragment(let kind):
            return fragments.isSubset(
                of: kind == .first ? .first : kind == .later ? .later : [.first, .later])
        case .bytes, .member: return false
        }
    }

    /// Whether a match is false for every packet of the region, as far as that can be seen.
    private func excludes(_ match: Match) -> Bool {
        var both = self
        both.add(match)
        return both.isEmpty
    }

    /// Whether one of these is true for every packet: one of them alone, or those about one number together.
    private func impliesOne(of parts: [Match]) -> Bool {
        if parts.contains(where: implies) { return true }
        var ranges: [NumberField: [ClosedRange<UInt32>]] = [:]
        for case .test(.number(let field, let values)) in parts { ranges[field, default: []] += values }
        return ranges.contains { implies(.number($0, NumberRanges.union($1))) }
    }
}

extension IPPrefix {
    /// Whether all addresses of another network are in this one.
    func covers(_ other: IPPrefix) -> Bool {
        guard other.length >= length, other.isIPv6 == isIPv6 else { return false }
        let whole = Int(length) / 8
        for place in 0..<whole where address.bytes[place] != other.address.bytes[place] { return false }
        let rest = Int(length) % 8
        return rest == 0 || (address.bytes[whole] ^ other.address.bytes[whole]) >> UInt8(8 - rest) == 0
    }
}

extension NumberRanges {
    static func intersection(
        _ left: [ClosedRange<UInt32>], _ right: [ClosedRange<UInt32>]
    ) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            let low = max(left[i].lowerBound, right[j].lowerBound)
            let high = min(left[i].upperBound, right[j].upperBound)
            if low <= high { result.append(low...high) }
            if left[i].upperBound < right[j].upperBound { i += 1 } else { j += 1 }
        }
        return result
    }

    static func contains(_ ranges: [ClosedRange<UInt32>], _ value: UInt32) -> Bool {
        ranges.contains { $0.contains(value) }
    }

    static func contains(_ ranges: [ClosedRange<UInt32>], all others: [ClosedRange<UInt32>]) -> Bool {
        intersection(ranges, others) == others
    }
}
