// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Packets
import TestSupport
import XDP

/// Captures on a TAP device, on which a packet has run when it is written, or on the `near` end of a veth pair.
final class CaptureBench: Sendable {
    let bench: ChainBench

    init(mtu: UInt32? = nil) throws {
        bench = try ChainBench(mtu: mtu, withTAP: true)
    }

    /// A packet as it was handed over.
    struct Seen: Sendable {
        var frame: CapturedFrame
        var bytes: [UInt8]

        var point: String { frame.point.description }
    }

    /// Works with a capture inside the namespace, and ends it.
    @discardableResult
    func capturing<T: Sendable>(
        _ request: CaptureRequest, on interface: String = "tap",
        _ body: @Sendable (CaptureSession) throws -> T
    ) throws -> T {
        try bench.namespace.run {
            let session = try CaptureSession(request, on: try Interface(named: interface))
            let result = try body(session)
            _ = try session.end()
            return result
        }
    }

    static func request(
        _ selection: TapSelection, _ settings: (inout CaptureRequest) throws -> Void = { _ in }
    ) rethrows -> CaptureRequest {
        var request = CaptureRequest()
        request.purpose = "a test"
        request.selection = selection
        request.bufferSize = 2 << 20
        try settings(&request)
        return request
    }

    static let everywhere = TapSelection(start: true, end: true, allEntries: true, allExits: true)

    /// Reads until there are so many packets, or for five seconds.
    static func read(_ session: CaptureSession, _ count: Int) throws -> [Seen] {
        var seen: [Seen] = []
        let deadline = ContinuousClock.now + .seconds(5)
        while seen.count < count, ContinuousClock.now < deadline {
            _ = try session.read(milliseconds: 50) { frame, bytes in
                seen.append(Seen(frame: frame, bytes: bytes.withUnsafeBytes { Array($0) }))
            }
        }
        return seen
    }

    /// Waits until the capture says that it is over; the reason.
    static func reason(_ session: CaptureSession) throws -> String? {
        let deadline = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < deadline {
            if case .gone(let why) = try session.read(milliseconds: 100, { _, _ in }) { return why }
        }
        return nil
    }

    /// Lets packets arrive at `tap`.
    func send(_ packet: Packet, times count: Int = 1) throws {
        for _ in 0..<count { try bench.tap?.write(packet) }
    }

    /// The captures that are in the chain of an interface.
    func taps(_ interface: String = "tap") throws -> [Tap] {
        guard case .chain(let active) = try bench.occupant(interface) else { return [] }
        return active.manifest.chain.taps
    }

    func load(_ fixture: String, as name: String? = nil, on interface: String = "tap") throws {
        var request = LoadRequest(path: try Fixture.path(fixture))
        request.name = name
        try bench.edit(interface) { [request] editor throws(XDPError) in try editor.load([request]) }
    }
}
