// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Filter

@Suite("What counts for networks that cover each other")
struct CoveringLivesTests {
    private struct Network {
        var key: [UInt8]
        var bits: [Bool]
        var own: UInt64
    }

    /// Networks that cover each other often.
    private static func networks(_ generator: inout SeededGenerator, isIPv6: Bool) -> [Network] {
        var found: [[UInt8]: Network] = [:]
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            let size = isIPv6 ? 128 : 32
            let length = Int.random(in: 0...size, using: &generator)
            var bits = [Bool](repeating: false, count: size)
            for place in 0..<length { bits[place] = Int.random(in: 0...8, using: &generator) == 0 }
            var bytes = [UInt8](repeating: 0, count: size / 8)
            for (place, bit) in bits.enumerated() where bit { bytes[place / 8] |= 0x80 >> UInt8(place % 8) }
            let key = withUnsafeBytes(of: UInt32(length)) { Array($0) } + bytes
            let end: UInt64? =
                Bool.random(using: &generator) ? nil : UInt64.random(in: 1...9, using: &generator) * 1000
            let entry = SetLayout.Entry(isDeclared: Bool.random(using: &generator), end: end)
            found[key] = Network(key: key, bits: Array(bits.prefix(length)), own: entry.rawValue)
        }
        return Array(found.values)
    }

    @Test("it is the longest life of all that cover a network, itself among them", arguments: [false, true])
    func model(isIPv6: Bool) {
        var generator = SeededGenerator(seed: isIPv6 ? 12 : 11)
        for _ in 0..<500 {
            let networks = Self.networks(&generator, isIPv6: isIPv6)
            let result = networks.flatMap(\.key).withUnsafeBytes {
                $0.baseAddress.map {
                    CoveringLives.compute(keys: $0, keySize: isIPv6 ? 20 : 8, own: networks.map(\.own))
                }
            }
            for (network, counting) in zip(networks, result ?? []) {
                let expected = networks.filter { network.bits.starts(with: $0.bits) }
                    .map { CoveringLives.life($0.own) }.max()
                #expect(CoveringLives.life(counting) == expected)
                #expect(SetLayout.Entry(rawValue: counting).isPresent)
            }
        }
    }
}
