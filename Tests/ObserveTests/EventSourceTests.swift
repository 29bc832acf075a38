// SPDX-License-Identifier: Apache-2.0
import BPF
import Testing

@testable import Observe

/// Which arguments of tracepoints are understood, and how events lie in memory.
@Suite("Tracepoints")
struct EventSourceTests {
    private typealias Argument = KernelTypes.Argument
    private static let device = Argument.structure("net_device")
    private static let program = Argument.structure("bpf_prog")
    private static let number = Argument.number(4)

    @Test("the redirects of Linux 5.10 have a map, those of later ones its type and id")
    func redirects() {
        let old: [Argument] = [
            Self.device, Self.program, .pointer, Self.number, .structure("bpf_map"), Self.number,
        ]
        let new: [Argument] =
            [Self.device, Self.program, .pointer] + [Argument](repeating: Self.number, count: 4)
        for source in [EventSource.redirect, .redirectError, .redirectMap, .redirectMapError] {
            #expect(source.shape(of: old) == .redirectWithMap)
            #expect(source.shape(of: new) == .redirect)
            #expect(source.shape(of: []) == nil)
            #expect(source.shape(of: [.pointer] + new.dropFirst()) == nil)
        }
    }

    @Test("what is added behind the arguments does not matter, and what is changed before does")
    func changes() {
        let run = [Self.number, Self.number, Self.number, Self.number, .structure("xdp_cpumap_stats")]
        #expect(EventSource.cpumapRun.shape(of: run) == .cpumapRun)
        #expect(EventSource.cpumapRun.shape(of: run + [.other]) == .cpumapRun)
        #expect(EventSource.cpumapEnqueue.shape(of: Array(run.prefix(3))) == nil)
        #expect(EventSource.exception.shape(of: [Self.device, Self.program, Self.number]) == .exception)
        #expect(EventSource.exception.shape(of: [Self.device, Self.program, .number(8)]) == nil)
        #expect(
            EventSource.devmapTransmit.shape(
                of: [Self.device, Self.device, Self.number, Self.number, Self.number]) == .devmap)
        #expect(
            EventSource.bulkTransmit.shape(of: [Self.device, Self.number, Self.number, Self.number]) == .bulk)
        #expect(EventSource.attachFailed.shape(of: [.pointer]) == .message)
    }

    @Test("a key is read as it was written, and a kind that is none is refused")
    func keys() {
        for kind in XDPEvent.Kind.allCases {
            let key = XDPEvent.Key(
                kind: kind, program: 1, interface: 2, namespace: 3, target: 4, targetNamespace: 5, map: 6,
                mapType: 7, mapKey: 8, error: -9, verdict: 10, cpu: 11)
            let bytes = EventLayout.bytes(of: key)
            #expect(bytes.count == EventLayout.keySize)
            let read = EventLayout.key(bytes.span.bytes)
            #expect(read == key)
            let short = Array(bytes.dropLast())
            let isShort = EventLayout.key(short.span.bytes) == nil
            #expect(isShort)
        }
        let zeros = [UInt8](repeating: 0, count: EventLayout.keySize)
        let none = EventLayout.key(zeros.span.bytes)
        #expect(none == nil)
    }

    @Test("what all CPUs counted is added up; the last time counts")
    func totals() {
        let values: [UInt64] = [1, 2, 30, 4, 10, 20, 5, 40]
        let bytes = values.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
        let totals = EventLayout.Totals(bytes.span.bytes)
        #expect(totals.dropped == 11 && totals.sent == 22 && totals.time == 30 && totals.count == 44)
    }

    @Test("a failed attachment is read from the ring, and what wakes the reader is none")
    func attachments() {
        let key = XDPEvent.Key(kind: .attachFailed, namespace: 5)
        var bytes = EventLayout.bytes(of: key) + [UInt8](repeating: 0, count: 192)
        bytes[48] = 9
        bytes[56] = 7
        bytes.replaceSubrange(64..<67, with: Array("abc".utf8))
        bytes.replaceSubrange(80..<240, with: [UInt8](repeating: UInt8(ascii: "x"), count: 160))
        let event = EventLayout.attachFailure(bytes.span.bytes)
        #expect(event?.key == key && event?.time == 9 && event?.process == 7 && event?.command == "abc")
        #expect(event?.text == String(repeating: "x", count: 160))
        let wake = EventLayout.bytes(of: key)
        let none = EventLayout.attachFailure(wake.span.bytes)
        #expect(none == nil)
    }

    @Test("programs that came, went and were exchanged between two looks")
    func attached() {
        let events = AttachmentWatch.changes(
            from: [1: ("lo", 0), 2: ("eth0", 5), 3: ("eth1", 6), 4: ("gone", 8), 5: ("same", 9)],
            to: [1: ("lo", 4), 2: ("eth0", 0), 3: ("eth2", 7), 5: ("same", 9), 6: ("new", 10)])
        #expect(events.map(\.kind) == [.attached, .detached, .changed, .detached, .attached])
        #expect(events.map(\.interface) == ["lo", "eth0", "eth2", "gone", "new"])
        #expect(events.map(\.before) == [0, 5, 6, 8, 0] && events.map(\.after) == [4, 0, 7, 0, 10])
    }
}
