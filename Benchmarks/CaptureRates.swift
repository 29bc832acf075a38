// SPDX-License-Identifier: Apache-2.0
import Glibc
import Packets
import TestSupport
import XDP

/// How many packets a second are captured to the last one, and what one of them costs, beside xdpdump and tcpdump.
///
/// All happens on one CPU: the packets are written to a TAP device, where the program runs as they are, at a steady rate, and
/// the command that captures them has what the sender leaves. The rate is found by halving; a rate is lossless if every
/// packet of a second is in the capture, and the sender could keep it.
struct CaptureRates {
    let settings: Settings
    private static let interface = "benchtap"
    /// Packets a second.
    private static let lowest = 5_000.0
    private static let highest = 1_500_000.0
    /// At which the cost is compared: one that all of them keep.
    private static let common = 20_000.0

    private struct Row {
        var name: String
        var rate: [Double] = []
        /// Nanoseconds of a CPU a packet, in its way and in the command.
        var inTheWay: [Double] = []
        var reading: [Double] = []
        var memory = 0.0
    }

    func show(_ report: Report) throws {
        try Sandbox.enterNetwork()
        let device = try TAPDevice(name: Self.interface)
        let rows = try OnProcessor.run(0) {
            var rows: [Row] = []
            for peer in CapturePeer.all(settings, on: Self.interface) {
                var row = Row(name: peer.name)
                for length in [64, 1500] {
                    // To nobody's address: the stack looks at it and drops it.
                    let packet = Packet.ethernet(to: Packet.MAC([2, 0xbe, 0, 0, 0, 1])).ipv4()
                        .udp(from: 40000, to: 4242).padded(to: length).bytes
                    try measure(peer, device, packet, &row)
                }
                rows.append(row)
            }
            return rows
        }
        report.section("Captured without loss, on one CPU with the sender (1,000 packets a second)")
        report.table(
            [["", "64 bytes", "1500 bytes", "MB at most"]]
                + rows.map { row in
                    [row.name] + row.rate.map { Text.number($0 / 1000) } + [Text.decimal(row.memory / 1e6, 1)]
                })
        report.section("What a captured packet costs (ns), at \(Int(Self.common)) a second")
        report.table(
            [["", "its way, 64", "reading, 64", "its way, 1500", "reading, 1500"]]
                + rows.map { row in
                    [row.name]
                        + zip(row.inTheWay, row.reading).flatMap { [Text.number($0), Text.number($1)] }
                })
        guard let ours = rows.first, let theirs = rows.first(where: { $0.name == "xdpdump" }) else { return }
        report.promise(
            "xdpdump's lossless rate, 1500", theirs.rate[1] / ours.rate[1], atMost: 1.0 / 3, "of ours")
        report.promise("memory of xdpctl capture", ours.memory / 1e6, atMost: Self.memoryBound / 1e6, "MB")
    }

    /// Both mappings of a buffer of the standard size, and the command.
    private static var memoryBound: Double {
        let processors = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return 2 * min(processors * 16, max(64, processors * 2)) * 1_048_576 + 32e6
    }

    private func measure(
        _ peer: CapturePeer, _ device: borrowing TAPDevice, _ packet: [UInt8], _ row: inout Row
    ) throws {
        // What sending costs, and what starting and ending the command does.
        let alone = try send(packet, to: device, rate: Self.common, seconds: 2)
        let idle = try peer.run {}
        var sent = Sent()
        let common = try peer.run { sent = try send(packet, to: device, rate: Self.common, seconds: 2) }
        guard common.captured >= sent.packets else {
            throw BenchmarkError("\(peer.name) loses packets at \(Int(Self.common)) a second")
        }
        row.inTheWay.append((sent.processor - alone.processor) / Double(sent.packets) * 1e9)
        row.reading.append((common.processor - idle.processor) / Double(common.captured) * 1e9)
        var (low, high) = (Self.lowest, Self.highest)
        while high / low > 1.08 {
            let rate = (low * high).squareRoot()
            let result = try peer.run { sent = try send(packet, to: device, rate: rate, seconds: 1) }
            row.memory = max(row.memory, result.peakMemory)
            let isKept = result.captured >= sent.packets && sent.seconds < 1.05
            if settings.isVerbose {
                print(
                    "  \(peer.name) \(packet.count): \(Int(rate))/s, \(result.captured) of \(sent.packets), "
                        + "\(sent.seconds) s")
            }
            if isKept { low = rate } else { high = rate }
        }
        row.rate.append(low)
    }

    // MARK: - Sending

    private struct Sent {
        var packets = 0
        var seconds = 0.0
        /// Seconds on a processor.
        var processor = 0.0
    }

    /// Sends at a steady rate, a few hundred microseconds' worth at a time.
    private func send(
        _ packet: [UInt8], to device: borrowing TAPDevice, rate: Double, seconds: Double
    ) throws -> Sent {
        let total = Int(rate * seconds)
        let start = Self.now(CLOCK_MONOTONIC)
        let processor = Self.now(CLOCK_THREAD_CPUTIME_ID)
        var sent = 0
        while sent < total {
            let due = min(total, Int((Self.now(CLOCK_MONOTONIC) - start) * rate) + 1)
            while sent < due {
                try device.write(packet)
                sent += 1
            }
            var pause = timespec(tv_sec: 0, tv_nsec: 250_000)
            if sent < total { nanosleep(&pause, nil) }
        }
        return Sent(
            packets: sent, seconds: Self.now(CLOCK_MONOTONIC) - start,
            processor: Self.now(CLOCK_THREAD_CPUTIME_ID) - processor)
    }

    private static func now(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
