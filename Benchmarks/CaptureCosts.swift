// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Packets
import TestSupport
import XDP

/// What a capture adds to a packet that it does not want: one run of the chain with it, less one without.
struct CaptureCosts {
    let settings: Settings

    private struct Way {
        var name: String
        var request: CaptureRequest
        var isBound = false
    }

    func show(_ report: Report) throws {
        try Sandbox.enterNetwork()
        let interface = try Interface(named: Sandbox.interface)
        let editor = ChainEditor(interface)
        let member = try LoadRequest(path: Fixture.path("pass"))
        _ = try editor.load([member], counters: .off)
        let meter = try Meter(packet: Catalog.packet)
        let plain = meter.add(try Self.running(interface))
        var measured: [(Way, Meter.Ticket)] = []
        var sessions: [CaptureSession] = []
        for way in try Self.ways() {
            let session = try CaptureSession(way.request, on: interface)
            measured.append((way, meter.add(try Self.running(interface))))
            // The chain that is measured stays loaded, and its capture alive, when it is out of the interface.
            sessions.append(session)
            _ = try editor.endTap(session.name)
        }
        try meter.run(rounds: settings.rounds, repeats: settings.repeats)
        report.section("A packet that a capture does not want (ns)")
        report.table(
            [["", "adds"]]
                + measured.map { way, ticket in
                    [way.name, Text.decimal(meter.net(ticket) - meter.net(plain), 1)]
                })
        for (way, ticket) in measured where way.isBound {
            report.promise(
                "a capture that matches nothing", max(meter.net(ticket) - meter.net(plain), 0), atMost: 5,
                "ns")
        }
        for session in sessions { _ = try session.end() }
        _ = try editor.unload(nil)
    }

    private static func ways() throws -> [Way] {
        func request(_ expression: String, _ settings: (inout CaptureRequest) -> Void = { _ in }) throws
            -> CaptureRequest
        {
            var request = CaptureRequest()
            request.bufferSize = 1 << 20
            if !expression.isEmpty { request.program = try ClassicProgram(compiling: expression) }
            settings(&request)
            return request
        }
        return [
            Way(name: "verdict drop", request: try request("") { $0.verdicts = [.drop] }),
            Way(name: "tcp port 443", request: try request("tcp port 443"), isBound: true),
            Way(
                name: "udp port 53 and host 192.0.2.7",
                request: try request("udp port 53 and host 192.0.2.7")),
        ]
    }

    /// What runs on the interface now; it stays loaded as long as it is held.
    private static func running(_ interface: Interface) throws -> Program {
        guard case .chain(let chain) = try Interface(named: interface.name).occupant() else {
            throw BenchmarkError("no chain runs on \(interface.name)")
        }
        return try Program(id: chain.programID)
    }
}
