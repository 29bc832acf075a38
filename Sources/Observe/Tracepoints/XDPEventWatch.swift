// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import CBPF
import Netlink
import XDP

/// Counts what the kernel's XDP tracepoints tell, from when it is made until it is gone.
///
/// Programs of its own, one on each tracepoint, add up like events in a map, so that a million exceptions a second are one
/// number; only the first event of a kind wakes whoever waits in ``read(milliseconds:)``. Nothing is pinned: all of it goes
/// with this object, and with the process.
///
/// It needs the kernel's description of its own types (`/sys/kernel/btf/vmlinux`), but no tracefs, and Linux 5.10, and
/// CAP_BPF and CAP_PERFMON.
public final class XDPEventWatch {
    /// A tracepoint that is not watched, and why.
    public struct Missing: Sendable, Hashable {
        public var tracepoint: String
        public var kind: XDPEvent.Kind
        public var reason: String
    }

    /// The tracepoints that this kernel lacks, or has otherwise than any known one.
    public let missing: [Missing]
    /// Events that could not be told apart, because there were too many different ones at once.
    public private(set) var others: UInt64 = 0

    /// How many different events there can be between two looks.
    public static let capacity = 1024

    private let tally: BPFMap
    private let otherMap: BPFMap
    private var ring: RingBuffer
    // Attached as long as they are held.
    private let programs: [Watching]
    private let processors: Int
    private var processorMaps: ProcessorMaps
    private var known: [XDPEvent.Key: EventLayout.Totals] = [:]

    private final class Watching {
        let program: TracepointProgram

        init(_ program: consuming TracepointProgram) {
            self.program = program
        }
    }

    /// Begins to count, from now on.
    ///
    /// - Parameters:
    ///   - kinds: what to watch.
    ///   - interfaces: indices of interfaces of which events are wanted; nil for all. An attachment that failed belongs to none
    ///     and comes in any case. So does what a cpumap does: with nil that of all cpumaps of the machine comes, else that of those
    ///     which programs on the interfaces use.
    ///   - everywhere: whether events of all network namespaces are wanted, and not only those of the calling thread's.
    ///   - successes: whether also to count what went well: every packet that was redirected or sent.
    public init(
        _ kinds: Set<XDPEvent.Kind> = Set(XDPEvent.Kind.allCases), interfaces: Set<UInt32>? = nil,
        everywhere: Bool = false, successes: Bool = false
    ) throws(XDPError) {
        processorMaps = ProcessorMaps(interfaces)
        let types = try Self.types()
        let offsets: EventOffsets
        do throws(EventOffsets.Missing) {
            offsets = try EventOffsets(types)
        } catch {
            throw XDPError(
                .failed, Self.task,
                because: "the kernel's types have no \(error.field), by which events are told apart",
                remedy: "Report this kernel's version, which this version of xdpctl does not know")
        }
        do throws(BPFError) {
            processors = max(1, Int(libbpf_num_possible_cpus()))
            tally = try BPFMap(
                MapDefinition(
                    name: "xdpctl_events", type: .perCPUHash, keySize: UInt32(EventLayout.keySize),
                    valueSize: UInt32(EventLayout.valueSize), maximumEntries: UInt32(Self.capacity)))
            otherMap = try BPFMap(
                MapDefinition(
                    name: "xdpctl_others", type: .array, keySize: 4, valueSize: 8, maximumEntries: 1))
            let ringMap = try BPFMap(
                MapDefinition(
                    name: "xdpctl_wake", type: .ringBuffer, keySize: 0, valueSize: 0, maximumEntries: 1 << 16)
            )
            ring = try RingBuffer(ringMap)
            let maps = EventCode.Maps(
                tally: tally.descriptor.rawValue, others: otherMap.descriptor.rawValue,
                ring: ringMap.descriptor.rawValue)
            let scope = EventCode.Scope(
                namespace: everywhere ? nil : Self.namespace(), interfaces: interfaces?.sorted(),
                successes: successes)
            var programs: [Watching] = []
            var missing: [Missing] = []
            for source in EventSource.allCases where kinds.contains(source.kind) {
                guard successes || source.kind != .redirect else { continue }
                guard let tracepoint = types.tracepoint(source.rawValue) else {
                    if !source.isOptional {
                        missing.append(Missing(source, "the kernel has no such tracepoint"))
                    }
                    continue
                }
                guard let shape = source.shape(of: tracepoint.arguments),
                    let code = try? EventCode.instructions(
                        for: source, shape, offsets: offsets, maps: maps, scope: scope)
                else {
                    missing.append(Missing(source, "its arguments are not as any known kernel has them"))
                    continue
                }
                programs.append(
                    Watching(try TracepointProgram("xdpctl_monitor", on: tracepoint, instructions: code)))
            }
            self.programs = programs
            self.missing = missing
        } catch {
            throw XDPError(error, during: Self.task)
        }
    }

    private static let task = "The kernel's XDP tracepoints cannot be watched"

    private static func types() throws(XDPError) -> KernelTypes {
        if let types = KernelTypes() { return types }
        throw XDPError(
            .failed, task,
            because: KernelTypes.isThere
                ? "the kernel's types in /sys/kernel/btf/vmlinux cannot be read"
                : "the kernel does not show its types: there is no /sys/kernel/btf/vmlinux",
            remedy: KernelTypes.isThere
                ? "They may be of a kind that is younger than this xdpctl"
                : "Mount sysfs, or use a kernel that is built with CONFIG_DEBUG_INFO_BTF")
    }

    /// The number by which the kernel knows the namespace; nil, which stands for all, where it has none.
    private static func namespace() -> UInt32? {
        guard let identity = try? NetworkNamespace.current().identity else { return nil }
        return UInt32(truncatingIfNeeded: identity.inode)
    }

    // MARK: - Reading

    /// Waits until there is an event of a new kind, or a signal comes, or the time is over; then tells everything that happened
    /// since it was called the last time, by time.
    public func read(milliseconds: Int) throws(XDPError) -> [XDPEvent] {
        do throws(BPFError) {
            _ = try ring.wait(milliseconds: milliseconds)
            // The ring first: who comes then wakes again.
            var events: [XDPEvent] = []
            ring.read { bytes in
                if let event = EventLayout.attachFailure(bytes) { events.append(event) }
            }
            try addCounted(to: &events)
            return events.sorted { $0.time < $1.time }
        } catch {
            throw XDPError(error, during: "The kernel's XDP tracepoints cannot be read")
        }
    }

    private func addCounted(to events: inout [XDPEvent]) throws(BPFError) {
        let valueSize = EventLayout.valueSize * processors
        var resting: [XDPEvent.Key] = []
        var changed: [XDPEvent.Key: EventLayout.Totals] = [:]
        try tally.forEachBatch(keySize: EventLayout.keySize, valueSize: valueSize, chunk: Self.capacity) {
            count, keys, values in
            for place in 0..<count {
                let bytes = UnsafeRawBufferPointer(
                    start: keys + place * EventLayout.keySize, count: EventLayout.keySize)
                guard let key = EventLayout.key(bytes.bytes) else { continue }
                let value = UnsafeRawBufferPointer(start: values + place * valueSize, count: valueSize)
                let now = EventLayout.Totals(value.bytes)
                if now.count == known[key]?.count { resting.append(key) } else { changed[key] = now }
            }
        }
        for (key, now) in changed {
            // What is not known yet is told the next time.
            guard let isOurs = processorMaps.mayHold(key) else { continue }
            let before = known.updateValue(now, forKey: key) ?? EventLayout.Totals()
            // A new event's numbers may be on their way.
            guard now.count > before.count, isOurs else { continue }
            events.append(
                XDPEvent(
                    key: key, time: now.time, count: now.count - before.count,
                    dropped: now.dropped &- before.dropped, sent: now.sent &- before.sent))
        }
        try makeRoom(resting)
    }

    /// Where there was no place for an event, those go that did not happen since the last look.
    private func makeRoom(_ resting: [XDPEvent.Key]) throws(BPFError) {
        guard let bytes = try otherMap.lookup([0, 0, 0, 0], valueSize: 8) else { return }
        let now = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        guard now > others else { return }
        others = now
        for key in resting {
            try tally.delete(EventLayout.bytes(of: key))
            known[key] = nil
        }
    }
}

extension XDPEventWatch.Missing {
    fileprivate init(_ source: EventSource, _ reason: String) {
        self.init(tracepoint: source.rawValue, kind: source.kind, reason: reason)
    }
}
