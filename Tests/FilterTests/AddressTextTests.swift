// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

@testable import Filter

@Suite("Addresses in files of elements")
struct AddressTextTests {
    /// What inet_pton(3) says.
    private static func reference(_ text: String) -> [UInt8]? {
        for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: size)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    private static func ours(_ text: String) -> [UInt8]? {
        Array(text.utf8).withUnsafeBufferPointer { text in
            if let value = AddressText.ipv4(text) {
                return withUnsafeBytes(of: value.bigEndian) { Array($0) }
            }
            if let value = AddressText.ipv6(text) {
                return withUnsafeBytes(of: value.bigEndian) { Array($0) }
            }
            return nil
        }
    }

    @Test(
        "what inet_pton reads is read, and nothing else",
        arguments: [
            "", ".", ":", "::", ":::", "::1", "1::", "1:", ":1", "1", "1.2.3.4", "1.2.3", "1.2.3.4.5",
            "1..2.3", "1.2.3.",
            ".1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.00", "0.0.0.0", "255.255.255.255", "1.2.3.4 ",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7", "1::2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "00001::", "ffff::FFFF", "g::", "::ffff:1.2.3.4",
            "::1.2.3", "::1.2.3.4.5",
            "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1.2.3.4::", "::1.2.3.4:5",
            "1:2:3:4:5::1.2.3.4",
            "1:2:3:4:5:6::1.2.3.4", "::01.2.3.4", "::%1", "1:2:3:4:5:6:7:", "::1:",
            "abcd:ef01:2345:6789:abcd:ef01:2345:6789",
        ])
    func cases(_ text: String) {
        #expect(Self.ours(text) == Self.reference(text), "\(text)")
    }

    @Test("it is so for a hundred thousand texts of the letters that addresses have")
    func random() {
        var generator = SeededGenerator(seed: 5)
        let letters = Array("0011222559a:::::....fF")
        for _ in 0..<100_000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...16, using: &generator) {
                text.append(letters.randomElement(using: &generator) ?? ":")
            }
            #expect(Self.ours(text) == Self.reference(text), "\(text)")
        }
    }

    @Test("it is so for addresses with one letter changed")
    func damaged() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<50_000 {
            let isIPv6 = Bool.random(using: &generator)
            var bytes = (0..<(isIPv6 ? 16 : 4)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // So that there are gaps.
            if isIPv6 {
                for place in 4..<UInt8.random(in: 4...15, using: &generator) { bytes[Int(place)] = 0 }
            }
            var buffer = [CChar](repeating: 0, count: 64)
            _ = inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &buffer, 64)
            var text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            #expect(Self.ours(String(decoding: text, as: UTF8.self)) == bytes)
            let place = Int.random(in: 0..<text.count, using: &generator)
            text[place] = Array("0a:.g5".utf8).randomElement(using: &generator) ?? 0
            let changed = String(decoding: text, as: UTF8.self)
            #expect(Self.ours(changed) == Self.reference(changed), "\(changed)")
        }
    }

    @Test("ranges become the fewest networks, which cover just them")
    func ranges() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let one = UInt128.random(in: 0...300, using: &generator)
            let other = UInt128.random(in: 0...300, using: &generator)
            var covered: [UInt128] = []
            var networks: [(UInt128, Int)] = []
            AddressText.networks(from: min(one, other), through: max(one, other), bits: 32) {
                networks.append(($0, $1))
                covered += Array($0..<$0 + (1 << UInt128(32 - $1)))
            }
            #expect(covered == Array(min(one, other)...max(one, other)))
            // Two of one size side by side are one only if they are the halves of one.
            for (left, right) in zip(networks, networks.dropFirst()) where left.1 == right.1 {
                #expect(left.0 & (1 << UInt128(32 - left.1)) != 0)
            }
        }
        var all: [Int] = []
        AddressText.networks(from: 0, through: UInt128(UInt32.max), bits: 32) { all.append($1) }
        AddressText.networks(from: 0, through: .max, bits: 128) { all.append($1) }
        AddressText.networks(from: .max, through: .max, bits: 128) { all.append($1) }
        AddressText.networks(from: 1, through: .max, bits: 128) { all.append($1) }
        #expect(all == [0, 0, 128] + (1...128).reversed())
    }

    @Test("lives are read and written")
    func lives() {
        for (text, seconds) in [
            ("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800),
        ] {
            #expect(LifeText.seconds(text) == UInt64(seconds))
        }
        for text in ["", "m", "1x", "0", "0s", "-1", "1h30", "99999999999999999999", "4000d"].dropFirst(0) {
            #expect(LifeText.seconds(text) == (text == "1h30" ? 3630 : nil), "\(text)")
        }
        #expect(LifeText.text(598) == "9m58s")
        #expect(LifeText.text(90061) == "1d1h1m1s")
    }
}
