// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

/// The values from which random rules and packets are made: few enough that they meet, with odd ones between.
struct FilterWorld {
    var random: SeededGenerator

    // Tests draw millions of times and are built without optimisation: this is plain arithmetic.

    mutating func choose<Option>(_ options: [Option]) -> Option {
        options[below(options.count)]
    }

    mutating func choose<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> Number {
        let span =
            UInt64(truncatingIfNeeded: range.upperBound) &- UInt64(truncatingIfNeeded: range.lowerBound)
        let offset = span == .max ? random.next() : random.next() % (span + 1)
        return range.lowerBound &+ Number(truncatingIfNeeded: offset)
    }

    /// A number from 0 up to, not including, another one.
    mutating func below(_ count: Int) -> Int {
        Int(truncatingIfNeeded: random.next() % UInt64(count))
    }

    /// True once in so many times.
    mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    mutating func flip() -> Bool { oneIn(2) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var drawn: UInt64 = 0
        var index = 0
        while index < count {
            if index % 8 == 0 { drawn = random.next() }
            bytes.append(UInt8(truncatingIfNeeded: drawn))
            drawn >>= 8
            index += 1
        }
        return bytes
    }

    // MARK: - Addresses

    mutating func address(isIPv6: Bool) -> IPAddress {
        if oneIn(20) { return IPAddress(bytes: bytes(isIPv6 ? 16 : 4)) ?? IPAddress(0, 0, 0, 0) }
        let last: UInt8 = choose(0...9)
        if !isIPv6 {
            return choose([
                IPAddress(10, 0, choose(0...1), last), IPAddress(192, 0, 2, last),
                IPAddress(198, 51, 100, 250 + last / 2), IPAddress(255, 255, 255, 255),
            ])
        }
        let head: [UInt8] = choose([
            [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, choose(0...1)], [0xfe, 0x80, 0, 0, 0, 0, 0, 0],
        ])
        return IPAddress(bytes: head + [UInt8](repeating: 0, count: 7) + [last]) ?? IPAddress(0, 0, 0, 0)
    }

    mutating func prefix() -> IPPrefix {
        let isIPv6 = flip()
        let length =
            isIPv6 ? choose([0, 3, 32, 48, 63, 64, 65, 125, 127]) : choose([0, 1, 8, 15, 24, 29, 31])
        let address = address(isIPv6: isIPv6)
        return flip() ? IPPrefix(address) : IPPrefix(address, length: length) ?? IPPrefix(address)
    }

    mutating func mac() -> MACAddress {
        if oneIn(20) { return MACAddress(value: choose(0...UInt64.max)) }
        return choose([MACAddress(value: 0x0200_0000_0000 + choose(1...5)), MACAddress(value: .max)])
    }

    // MARK: - Numbers

    mutating func number(_ field: NumberField) -> UInt32 {
        if oneIn(12) { return choose(0...field.maximum) }
        return switch field {
        case .etherType: choose([0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x88b5, 46])
        case .vlan, .innerVLAN: choose([0, 1, 2, 42, 43, 100, 4094, 4095])
        case .ipVersion: choose([4, 4, 6, 6, 5])
        case .protocol: choose([6, 6, 6, 17, 17, 17, 1, 58, 33, 132, 136, 47, 0, 44, 59, 255])
        case .dscp: choose([0, 8, 46, 63])
        case .trafficClass: choose([0, 1, 0xb8, 0xb9, 255])
        case .ttl: choose([0, 1, 2, 63, 64, 255])
        case .sourcePort, .destinationPort:
            choose([0, 22, 53, 79, 80, 81, 123, 443, 1023, 1024, 8080, 65534, 65535])
        case .icmpType: choose([0, 3, 5, 8, 11])
        case .icmpCode, .icmp6Code: choose([0, 1, 2, 4])
        case .icmp6Type: choose([1, 2, 128, 129, 133, 135, 136])
        case .length: choose([0, 14, 54, 59, 60, 61, 64, 100, 128, 1000, 1514])
        case .queue: choose([0, 1, 2])
        }
    }

    /// Ranges in the form that ``Test/number(_:_:)`` asks for.
    mutating func ranges(_ field: NumberField) -> [ClosedRange<UInt32>] {
        var ranges: [ClosedRange<UInt32>] = (0..<choose([1, 1, 1, 2, 3, 8])).map { _ in
            let first = number(field)
            guard oneIn(3) else { return first...first }
            let second = number(field)
            return min(first, second)...max(first, second)
        }
        if oneIn(8) {
            // All but that.
            ranges = complement(normal(ranges), upTo: field.maximum)
        }
        let result = normal(ranges)
        return result.isEmpty ? [0...field.maximum] : result
    }

    private func normal(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    private func complement(
        _ ranges: [ClosedRange<UInt32>], upTo maximum: UInt32
    ) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= maximum { result.append(next...maximum) }
        return result
    }

    // MARK: - Elements of sets

    mutating func component(_ kind: SetDeclaration.Kind, isIPv6: Bool, interfaces: [String]) -> SetComponent {
        switch kind {
        case .address: .address(address(isIPv6: isIPv6))
        case .prefix: .prefix(prefix())
        case .port: .numbers(single(.destinationPort))
        case .protocol: .numbers(single(.protocol))
        case .vlan: .numbers(single(.vlan))
        case .mac: .mac(mac())
        case .interface: .interface(interfaces.isEmpty ? "veth0" : choose(interfaces))
        }
    }

    private mutating func single(_ field: NumberField) -> ClosedRange<UInt16> {
        let value = UInt16(number(field))
        return value...value
    }
}
