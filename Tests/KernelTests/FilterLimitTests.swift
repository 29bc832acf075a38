// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Foundation
import TestSupport
import Testing

/// The code of limits on the kernel, held against the same limit in whole numbers. Needs root.
@Suite("Limits on the kernel", .serialized)
struct FilterLimitTests {
    private static func tenPerSecond(_ scope: Limit.Scope = .rule, burst: UInt64 = 5) -> Action {
        .limit(Limit(rate: Rate(10, per: .second), scope: scope, burst: burst))
    }

    private static func ipv4(_ source: [UInt8], to destination: [UInt8] = [198, 51, 100, 7])
        -> ActionProgram.Input
    {
        ActionProgram.Input(source: source, destination: destination, version: 4)
    }

    @Test(
        "every packet of a long way gets the answer of the evaluator, with and without compare-and-exchange",
        arguments: [true, false])
    func sameAsEvaluator(hasCompareExchange: Bool) throws {
        if hasCompareExchange { try KernelNeed.compareExchange.check() }
        let limits = [
            Limit(rate: Rate(10, per: .second), burst: 5),
            Limit(rate: Rate(7, per: .minute), scope: .source(bits4: 24, bits6: 56), burst: 3),
            Limit(rate: Rate(100_000, .bytes, per: .second), burst: 9000),
            Limit(
                rate: Rate(3000, .bytes, per: .hour), scope: .destination(bits4: 32, bits6: 64), burst: 4000),
            Limit(rate: Rate(1, per: .day), scope: .source(bits4: 0, bits6: 0), burst: 2),
        ]
        let kernel = try ActionProgram(
            limits.map { .limit($0) }, clock: .packet, hasCompareExchange: hasCompareExchange)
        var expected = limits.map { ExactLimit($0) }
        var random = SeededGenerator(seed: 20)
        var now: UInt64 = 40_000_000_000_000
        var admitted = [Int](repeating: 0, count: limits.count)

        for _ in 0..<6000 {
            let rule = Int.random(in: limits.indices, using: &random)
            var input = Self.randomInput(&random)
            now += UInt64.random(in: 0...400_000_000, using: &random)
            input.nanoseconds = now
            input.rule = rule
            let isWithin = try kernel.admits(input)
            #expect(isWithin == expected[rule].admits(input))
            admitted[rule] += isWithin ? 1 : 0
        }

        #expect(admitted.allSatisfy { $0 > 0 })
    }

    private static func randomInput(_ random: inout SeededGenerator) -> ActionProgram.Input {
        func address(_ size: Int) -> [UInt8] {
            (0..<size).map { _ in UInt8.random(in: 0...2, using: &random) }
        }
        var input = ActionProgram.Input(length: UInt64.random(in: 60...1600, using: &random))
        switch Int.random(in: 0...5, using: &random) {
        case 0: break
        case 1: (input.version, input.source, input.destination) = (6, address(16), address(16))
        default:
            (input.version, input.source, input.destination) = (4, address(4), address(4))
        }
        return input
    }

    @Test("of a burst as many come through as the limit says, and after a while as many as were earned")
    func burstAndRefill() throws {
        let kernel = try ActionProgram([Self.tenPerSecond(burst: 20)])
        let packet = Self.ipv4([192, 0, 2, 1])

        let started = ContinuousClock.now
        let first = try (0..<50).count { _ in try kernel.admits(packet) }
        let filled = ContinuousClock.now - started
        usleep(350_000)
        let paused = ContinuousClock.now
        let second = try (0..<50).count { _ in try kernel.admits(packet) }
        let spent = ContinuousClock.now - started
        let least = paused - started - filled

        #expect(first >= 20 && Double(first) <= 20 + filled / .seconds(1) * 10 + 1)
        #expect(Double(second) >= (least / .seconds(1) * 10).rounded(.down))
        #expect(Double(first + second) <= 20 + spent / .seconds(1) * 10 + 1)
    }

    @Test("each source has a bucket of its own, IPv4 and IPv6 apart, and what has no address shares one")
    func perSource() throws {
        let kernel = try ActionProgram(
            [Self.tenPerSecond(.source(bits4: 32, bits6: 128), burst: 1)], clock: .packet)

        for last in UInt8(0)..<200 {
            #expect(try kernel.admits(Self.ipv4([192, 0, 2, last])))
            #expect(try !kernel.admits(Self.ipv4([192, 0, 2, last], to: [203, 0, 113, last])))
            let six = ActionProgram.Input(source: [192, 0, 2, last], version: 6)
            #expect(try kernel.admits(six))
            #expect(try !kernel.admits(six))
        }
        #expect(try kernel.admits(ActionProgram.Input()))
        #expect(try !kernel.admits(ActionProgram.Input()))
    }

    @Test("sources of one network share a bucket, those of the next have another")
    func perPrefix() throws {
        let kernel = try ActionProgram(
            [Self.tenPerSecond(.source(bits4: 24, bits6: 64), burst: 1)], clock: .packet)

        #expect(try kernel.admits(Self.ipv4([192, 0, 2, 1])))
        #expect(try !kernel.admits(Self.ipv4([192, 0, 2, 200])))
        #expect(try kernel.admits(Self.ipv4([192, 0, 3, 1])))
    }

    @Test("a limit of bytes counts the packet's length")
    func bytes() throws {
        let limit = Limit(rate: Rate(1000, .bytes, per: .second), burst: 3000)
        let kernel = try ActionProgram([.limit(limit)], clock: .packet)
        var packet = Self.ipv4([192, 0, 2, 1])
        packet.length = 1400

        #expect(try kernel.admits(packet))
        #expect(try kernel.admits(packet))
        #expect(try !kernel.admits(packet))
        packet.length = 200
        #expect(try kernel.admits(packet))
        packet.nanoseconds = 1_000_000_000
        packet.length = 1001
        #expect(try !kernel.admits(packet))
        packet.length = 1000
        #expect(try kernel.admits(packet))
    }

    @Test("two rules with the same packets have buckets of their own")
    func rulesApart() throws {
        let kernel = try ActionProgram(
            [Self.tenPerSecond(burst: 1), Self.tenPerSecond(burst: 1)], clock: .packet)
        var packet = Self.ipv4([192, 0, 2, 1])

        #expect(try kernel.admits(packet))
        packet.rule = 1
        #expect(try kernel.admits(packet))
        #expect(try !kernel.admits(packet))
    }

    @Test("when more sources come than there is room for, those that keep coming keep their buckets")
    func eviction() throws {
        let kernel = try ActionProgram(
            [Self.tenPerSecond(.source(bits4: 32, bits6: 128), burst: 1)], clock: .packet)
        let regular = Self.ipv4([192, 0, 2, 1])

        #expect(try kernel.admits(regular))
        for number in 0..<UInt32(ActionMaps.keyedBuckets * 2) {
            let address = [10] + withUnsafeBytes(of: number.bigEndian) { Array($0.dropFirst()) }
            _ = try kernel.admits(Self.ipv4(address))
            if number % 100 == 0 { #expect(try !kernel.admits(regular)) }
        }
    }

    @Test("on two CPUs at once never more comes through than burst and rate allow")
    func twoCPUs() async throws {
        try KernelNeed.compareExchange.check()
        let limit = Limit(rate: Rate(20_000, per: .second), burst: 100)
        let kernel = try ActionProgram([.limit(limit)])
        let packet = Self.ipv4([192, 0, 2, 1]).bytes
        let descriptor = kernel.program.descriptor.rawValue

        let started = ContinuousClock.now
        let counts = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask { @Sendable in
                    withExtendedLifetime(descriptor) {}
                    return (0..<20_000).count { _ in
                        (try? Self.run(descriptor, packet)) == ActionProgram.within
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let spent = (ContinuousClock.now - started) / .seconds(1)
        withExtendedLifetime(kernel) {}

        let admitted = Double(counts.reduce(0, +))
        #expect(counts.allSatisfy { $0 > 0 })
        #expect(admitted <= 100 + spent * 20_000 + 1)
        #expect(admitted >= 100)
    }

    /// A run of somebody else's program.
    private static func run(_ descriptor: Int32, _ packet: [UInt8]) throws -> UInt32 {
        let program = Program(owning: Descriptor(owning: dup(descriptor)))
        return try program.testRun(packet).verdict
    }
}

/// A limit in units of a nanosecond divided by the amount, where nothing is rounded.
private struct ExactLimit {
    let limit: Limit
    var full: [[UInt8]: UInt128] = [:]

    init(_ limit: Limit) {
        self.limit = limit
    }

    mutating func admits(_ input: ActionProgram.Input) -> Bool {
        let now = UInt128(input.nanoseconds) * UInt128(limit.rate.amount)
        let period = UInt128(limit.rate.period.nanoseconds)
        let quantity = limit.rate.unit == .bytes ? UInt128(input.length) : 1
        let bucket = network(of: input)
        let next = max(full[bucket] ?? 0, now) + quantity * period
        guard next - now <= UInt128(limit.burst) * period else { return false }
        full[bucket] = next
        return true
    }

    private func network(of input: ActionProgram.Input) -> [UInt8] {
        let (address, bits4, bits6): ([UInt8], UInt8, UInt8)
        switch limit.scope {
        case .rule: return []
        case .source(let four, let six): (address, bits4, bits6) = (input.source, four, six)
        case .destination(let four, let six): (address, bits4, bits6) = (input.destination, four, six)
        }
        guard input.version != 0 else { return [] }
        let bits = Int(input.version == 4 ? bits4 : bits6)
        return [UInt8(input.version)]
            + address.enumerated().map { place, byte in
                byte & UInt8(truncatingIfNeeded: 0xff00 >> min(max(bits - place * 8, 0), 8))
            }
    }
}
