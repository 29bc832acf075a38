// SPDX-License-Identifier: Apache-2.0
import Glibc
import Packets
import TestSupport
import XDP

/// How many packets a second are captured to the last one, and what one of them costs, beside xdpdump and tcpdump.
///
/// Receiving and capturing share one CPU, the sender has another. The rate is found by halving. A rate is lossless if every
/// packet of a second is in the capture, in one of two attempts, and the sender could keep it.
struct CaptureRates {
    let settings: Settings
    /// Packets a second. The lowest is also where costs are compared; all of them have to keep it.
    private static let lowest = 20_000.0
    private static let highest = 1_500_000.0
    private static let attempts = 2
    /// In which packets come where costs are compared: so waking up for them is a small part.
    private static let burst = 64

    private struct Row {
        var name: String
        /// Without loss, a second.
        var rate: [Double] = []
        /// Nanoseconds of a CPU a packet, to receive it and in the command.
        var receiving: [Double] = []
        var reading: [Double] = []
        /// Bytes.
        var memory = 0.0
    }

    private static let lengths = [64, 1500]

    /// To nobody's address: the stack looks at it and drops it.
    private static let packets = lengths.map {
        Packet.ethernet(to: Packet.MAC([2, 0xbe, 0, 0, 0, 1])).ipv4().udp(from: 40000, to: 4242).padded(
            to: $0)
    }

    func show(_ report: Report) throws {
        let wire = try CaptureWire()
        let peers = CapturePeer.all(settings, on: Sandbox.interface)
        let editor = ChainEditor(try Interface(named: Sandbox.interface))
        let request = try LoadRequest(path: Fixture.path("pass"))
        _ = try editor.load([request], counters: .off)
        var rows = [try nothing("an empty program alone", wire)]
        _ = try editor.unload(nil)
        for peer in peers {
            var row = Row(name: peer.name)
            // With a program, too, as the others: it passes all to where tcpdump looks, on the CPU that receives.
            if !peer.hasProgram { _ = try editor.load([request], counters: .off) }
            for packet in Self.packets { try measure(peer, wire, packet, &row) }
            if !peer.hasProgram { _ = try editor.unload(nil) }
            rows.append(row)
        }
        report.section("What a packet costs, \(Int(Self.lowest)) a second on one CPU (ns)")
        report.table(
            [["", "receive, 64", "capture", "receive, 1500", "capture"]]
                + rows.map { row in
                    [row.name]
                        + row.receiving.indices.flatMap { place in
                            [Text.number(row.receiving[place])]
                                + [place < row.reading.count ? Text.number(row.reading[place]) : "-"]
                        }
                })
        report.section("Captured without loss on the CPU that receives (1,000 packets a second)")
        report.table(
            [["", "64 bytes", "1500 bytes", "MB at most"]]
                + rows.filter { !$0.rate.isEmpty }.map { row in
                    [row.name] + row.rate.map { Text.number($0 / 1000) } + [Text.decimal(row.memory / 1e6, 1)]
                })
        guard let ours = rows.first(where: { $0.name == peers[0].name }),
            let theirs = rows.first(where: { $0.name == "xdpdump" })
        else { return }
        report.promise(
            "xdpdump's lossless rate, 1500", theirs.rate[1] / ours.rate[1], atMost: 1.0 / 3, "of ours")
        report.promise("memory of xdpctl capture", ours.memory / 1e6, atMost: Self.memoryBound / 1e6, "MB")
    }

    /// Both mappings of a buffer of the standard size, and the command.
    private static var memoryBound: Double {
        let processors = Double(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return 2 * min(processors * 16, max(64, processors * 2)) * 1_048_576 + 32e6
    }

    /// What receiving alone costs.
    private func nothing(_ name: String, _ wire: CaptureWire) throws -> Row {
        var row = Row(name: name)
        for packet in Self.packets {
            let sent = try wire.send(packet, rate: Self.lowest, seconds: 2, burst: Self.burst)
            row.receiving.append(sent.receiving / Double(sent.packets) * 1e9)
        }
        return row
    }

    private func measure(
        _ peer: CapturePeer, _ wire: CaptureWire, _ packet: Packet, _ row: inout Row
    ) throws {
        // What starting and ending the command costs.
        let idle = try peer.run(on: CaptureWire.receiving) {}
        var sent = CaptureWire.Sent()
        var common = idle
        for attempt in 1...Self.attempts {
            common = try peer.run(on: CaptureWire.receiving) {
                sent = try wire.send(packet, rate: Self.lowest, seconds: 2, burst: Self.burst)
            }
            if common.captured >= sent.packets { break }
            guard attempt < Self.attempts else {
                throw BenchmarkError(
                    "\(peer.name) loses packets at \(Int(Self.lowest)) a second: \(common.captured) of \(sent.packets)"
                )
            }
        }
        row.receiving.append(sent.receiving / Double(sent.packets) * 1e9)
        row.reading.append((common.processor - idle.processor) / Double(common.captured) * 1e9)
        row.memory = max(row.memory, common.peakMemory)
        var (low, high) = (Self.lowest, Self.highest)
        while high / low > 1.1 {
            let rate = (low * high).squareRoot()
            var isKept = false
            for _ in 1...Self.attempts where !isKept {
                let result = try peer.run(on: CaptureWire.receiving) {
                    sent = try wire.send(packet, rate: rate, seconds: 1)
                }
                row.memory = max(row.memory, result.peakMemory)
                isKept = result.captured >= sent.packets && sent.seconds < 1.05
                if settings.isVerbose {
                    print(
                        "  \(peer.name) \(packet.bytes.count): \(Int(rate))/s, \(result.captured) of \(sent.packets), "
                            + "\(sent.seconds) s")
                }
            }
            if isKept { low = rate } else { high = rate }
        }
        row.rate.append(low)
    }
}
