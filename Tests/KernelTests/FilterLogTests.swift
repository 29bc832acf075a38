// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Glibc
import TestSupport
import Testing

/// The code of reports on the kernel. Needs root.
@Suite("Reports on the kernel")
struct FilterLogTests {
    /// A packet that says which rule acts, followed by bytes that tell where they stand.
    private static func packet(_ length: Int, rule: Int = 0) -> [UInt8] {
        let input = ActionProgram.Input(length: UInt64(length) + 7, rule: rule)
        return input.bytes + (64..<max(length, 64)).map { UInt8(truncatingIfNeeded: $0 * 3) }
    }

    private static func log(snap: UInt16, sample: UInt32 = 1, rate: UInt64 = 1_000_000) -> Action {
        .log(LogSettings(atMost: Rate(rate, per: .second), sample: sample, snapLength: snap))
    }

    private static func reports(_ program: ActionProgram) throws -> [LogReport] {
        var reader = try RingBuffer(program.log.map)
        var reports: [LogReport] = []
        reader.read { record in
            if let report = LogReport(record) { reports.append(report) }
        }
        return reports
    }

    @Test(
        "a report has the packet's bytes up to the rule's length, whatever the two are; with and without a helper",
        arguments: [nil, false])
    func capture(hasFrags: Bool?) throws {
        let lengths: [UInt16] = [0, 1, 14, 63, 64, 65, 71, 128, 200, 1000, 4096]
        for snap in lengths {
            // The second rule's length is the filter's, and is larger.
            let program = try ActionProgram(
                [Self.log(snap: snap), Self.log(snap: 256)], hasFrags: hasFrags, ringSize: 65_536)
            for length in [64, 65, 72, 100, 127, 128, 129, 600, 1500] {
                let packet = Self.packet(length)
                #expect(try program.run(packet) == ActionProgram.within)
                let report = try #require(try Self.reports(program).first)
                #expect(report.bytes == Array(packet.prefix(Int(snap))))
                #expect(report.length == UInt32(length) + 7)
            }
        }
    }

    @Test("a report says when, which rule, where and which queue")
    func head() throws {
        let program = try ActionProgram([Self.log(snap: 64), Self.log(snap: 32)])
        func now() -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }

        let before = now()
        _ = try program.run(Self.packet(80, rule: 1))
        let after = now()

        let report = try #require(try Self.reports(program).first)
        #expect((before...after).contains(report.nanoseconds))
        #expect(report.rule == 2)
        #expect(report.queue == 0)
        #expect(report.bytes.count == 32)
    }

    @Test("no more reports than the rate allows, each rule for itself")
    func rate() throws {
        let program = try ActionProgram([Self.log(snap: 64, rate: 5), Self.log(snap: 64, rate: 3)])

        for _ in 0..<50 {
            #expect(try program.run(Self.packet(64)) == ActionProgram.within)
            #expect(try program.run(Self.packet(64, rule: 1)) == ActionProgram.within)
        }

        let reports = try Self.reports(program)
        #expect((5...6).contains(reports.count { $0.rule == 1 }))
        #expect((3...4).contains(reports.count { $0.rule == 2 }))
        #expect(try program.lostReports() == 0)
    }

    @Test("of a sample about the right share is reported")
    func sample() throws {
        let program = try ActionProgram([Self.log(snap: 16, sample: 10)], ringSize: 1 << 20)

        _ = try program.run(Self.packet(64), repeats: 5000)

        // The probability to fall outside is one in a hundred thousand million.
        #expect((350...650).contains(try Self.reports(program).count))
    }

    @Test("what the ring has no room for is counted")
    func lost() throws {
        let program = try ActionProgram([Self.log(snap: 128)], ringSize: 4096)

        for _ in 0..<40 { _ = try program.run(Self.packet(64)) }

        let reports = try Self.reports(program)
        #expect(reports.count == 4096 / (32 + 128 + 8))
        #expect(try program.lostReports() == UInt64(40 - reports.count))
    }
}
