// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Observe

/// How busy CPUs are with packets, from what the kernel writes.
@Suite("CPUs and packets")
struct SoftirqLoadTests {
    private static let statistics = """
        cpu  30 0 30 300 0 0 30 0 0 0
        cpu0 10 0 10 100 0 0 10 0 0 0
        cpu2 20 0 20 200 0 0 20 0 0 0
        intr 12345
        """
    private static let softirqs = """
                        CPU0       CPU1       CPU2
              HI:          0          0          0
          NET_TX:         17         16         15
          NET_RX:        100          0        300
           BLOCK:          0          5          1
        """
    private static let softnet = """
        00000010 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
        ffffffff 00000003 00000004 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000002 00000000 00000000
        """

    private static func sample(
        _ statistics: String = Self.statistics, _ softirqs: String = Self.softirqs,
        _ softnet: String = Self.softnet, time: UInt64 = 0
    ) throws -> SoftirqSample {
        try SoftirqSample(time: time, statistics: statistics, softirqs: softirqs, softnet: softnet)
    }

    @Test("each CPU that is on is read from the three files")
    func reading() throws {
        let sample = try Self.sample()

        #expect(sample.processors.keys.sorted() == [0, 2])
        let second = try #require(sample.processors[2])
        #expect(second.total == 260 && second.softirq == 20 && second.idle == 200 && second.receiving == 300)
        #expect(second.processed == .max && second.dropped == 3 && second.squeezed == 4)
        #expect(sample.processors[0]?.processed == 16)
    }

    @Test("before Linux 5.10 the lines of softnet_stat have no number of a CPU; they are in its order")
    func withoutNumbers() throws {
        let lines = Self.softnet.split(separator: "\n").map {
            $0.split(separator: " ").prefix(10).joined(separator: " ")
        }
        let sample = try Self.sample(Self.statistics, Self.softirqs, lines.joined(separator: "\n"))
        #expect(sample.processors[2]?.dropped == 3 && sample.processors[0]?.dropped == 1)
    }

    @Test("between two looks shares are of the time that passed, and numbers that begin anew go on")
    func difference() throws {
        let later = try Self.sample(
            "cpu0 10 0 20 160 0 0 40 0 0 0\ncpu2 20 0 20 190 0 0 20 0 0 0\ncpu3 1 1 1 1 1 1 1 1 1 1",
            Self.softirqs.replacing("300", with: "350"), Self.softnet.replacing("ffffffff", with: "00000004"),
            time: 2_000_000_000)
        let load = SoftirqLoad(from: try Self.sample(), to: later)

        #expect(load.seconds == 2 && load.processors.map(\.number) == [0, 2])
        #expect(load.processors[0].softirq == 0.3 && load.processors[0].idle == 0.6)
        // Time does not run backwards.
        #expect(load.processors[1].softirq == 0 && load.processors[1].idle == 0)
        #expect(load.processors[1].receiving == 50 && load.processors[1].processed == 5)
        #expect(load.processors[1].dropped == 0 && load.processors[1].squeezed == 0)
    }

    @Test(
        "what is not as the kernel writes it is refused",
        arguments: [
            ("", softirqs, softnet), ("cpu0 1 2 3", softirqs, softnet),
            ("cpux 1 2 3 4 5 6 7 8", softirqs, softnet),
            ("cpu0 1 2 3 4 5 6 -7 8", softirqs, softnet),
            ("cpu0 1 2 3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8", softirqs, softnet),
            (statistics, "", softnet), (statistics, "CPU0 CPU1\nNET_RX: 1 2 3", softnet),
            (statistics, "CPU0 CPU\nNET_RX: 1 2", softnet), (statistics, "CPU0 CPU1\nNET_TX: 1 2", softnet),
            (statistics, "CPU0\nNET_RX: x", softnet),
            (statistics, softirqs, "00000001 00000002"), (statistics, softirqs, "00000001 0000000g 00000000"),
        ])
    func refused(_ texts: (String, String, String)) {
        #expect(throws: SoftirqSample.Damage.self) { try Self.sample(texts.0, texts.1, texts.2) }
    }

    @Test("what a hypervisor gave to others is no time of the processor")
    func steal() throws {
        let later = try Self.sample("cpu0 10 0 10 110 0 0 40 500 0 0")
        let load = SoftirqLoad(from: try Self.sample(), to: later)
        #expect(load.processors.first?.softirq == 0.75 && load.processors.first?.idle == 0.25)
    }

    @Test("the files of this machine are understood")
    func machine() throws {
        let load = try softirqLoad(seconds: 0.2)
        #expect(!load.processors.isEmpty && load.seconds > 0.15)
        #expect(load.processors.allSatisfy { (0...1).contains($0.softirq) && (0...1).contains($0.idle) })
    }
}
