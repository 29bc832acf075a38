// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Addresses of both families, and whether a packet without an address counts.
struct AddressSet: Hashable, Sendable {
    var four: IntervalSet<UInt32>
    var six: IntervalSet<UInt128>
    var hasAbsent: Bool

    init(four: IntervalSet<UInt32>, six: IntervalSet<UInt128>, hasAbsent: Bool) {
        self.four = four
        self.six = six
        self.hasAbsent = hasAbsent
    }

    init(_ networks: [IPPrefix]) {
        four = IntervalSet(networks.filter { !$0.isIPv6 }.map(\.range4))
        six = IntervalSet(networks.filter(\.isIPv6).map(\.range6))
        hasAbsent = false
    }

    static let everything = AddressSet(
        four: IntervalSet(0...(.max)), six: IntervalSet(0...(.max)), hasAbsent: true)

    var isEmpty: Bool { four.isEmpty && six.isEmpty && !hasAbsent }

    func intersection(_ other: Self) -> Self {
        Self(
            four: four.intersection(other.four), six: six.intersection(other.six),
            hasAbsent: hasAbsent && other.hasAbsent)
    }

    func union(_ other: Self) -> Self {
        Self(four: four.union(other.four), six: six.union(other.six), hasAbsent: hasAbsent || other.hasAbsent)
    }

    var complement: Self {
        Self(four: four.complement(upTo: .max), six: six.complement(upTo: .max), hasAbsent: !hasAbsent)
    }
}

extension IPPrefix {
    /// The addresses as numbers; of an IPv4 network.
    var range4: ClosedRange<UInt32> {
        let first = address.bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return first...(first | UInt32.max.masked(behind: Int(length)))
    }

    /// The addresses as numbers; of an IPv6 network.
    var range6: ClosedRange<UInt128> {
        let first = address.bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return first...(first | UInt128.max.masked(behind: Int(length)))
    }
}

extension FixedWidthInteger {
    /// Only the bits behind the first so many.
    func masked(behind bits: Int) -> Self {
        bits >= Self.bitWidth ? 0 : self & (~0 >> Self(bits))
    }

    /// The bytes in network order.
    var networkBytes: [UInt8] {
        withUnsafeBytes(of: bigEndian) { Array($0) }
    }

    /// The bytes in host order.
    var hostBytes: [UInt8] {
        withUnsafeBytes(of: self) { Array($0) }
    }
}
