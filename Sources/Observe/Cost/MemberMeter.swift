// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Synchronization
import XDP

/// Measures what each member of a chain costs, by a ``Tap`` that is in the chain meanwhile.
///
/// That links the chain anew, when it begins and when it ends. A program of somebody else is adopted for the time, and given back.
/// If the process dies, the tap is a dead branch from that moment on, which the next xdpctl command takes out.
public final class MemberMeter {
    public let interface: Interface
    /// What the user should know.
    public let notes: [String]
    /// Of the tap.
    public let name: String
    /// Nanoseconds of an interval that are the measurement's own; nil until that was measured.
    public private(set) var overhead: Double?

    private let page: MappedValue
    private let guardian: CaptureGuard
    private let editor: ChainEditor
    private var means: [Int: IntervalMean] = [:]
    private var hasEnded = false

    /// - Parameter purpose: what `xdpctl status` shows.
    public init(on interface: Interface, purpose: String) throws(XDPError) {
        let what = "The cost of members on \(interface.name) cannot be measured"
        let editor = ChainEditor(interface)
        _ = try editor.sweepTaps()
        let map: MapHandle
        do throws(BPFError) {
            map = try MapHandle(MeterPage.definition)
            page = try MappedValue(map.map, count: MeterPage.size)
        } catch {
            throw XDPError(error, during: what)
        }
        guardian = try CaptureGuard(page)
        name = "top-\(map.id)"
        var chain: Chain?
        if case .chain(let active)? = try interface.refreshed()?.occupant() { chain = active.manifest.chain }
        let tap = Tap(
            name: name, purpose: purpose, process: UInt32(getpid()), unit: try MeterCode.unit(),
            mapIDs: [map.id], guardMap: 0, selection: MeterCode.selection(of: chain))
        let report = try editor.startTap(tap, resources: [map], mode: .auto)
        self.interface = interface
        self.editor = editor
        notes = report.notes
    }

    deinit {
        if !hasEnded { try? end() }
    }

    /// What the members of the chain that runs cost lately, in the chain's order, as far as packets of theirs were measured; nil if
    /// the meter is in it no more.
    public func read() throws(XDPError) -> [MemberCost]? {
        guard !hasEnded, case .chain(let active)? = try occupant() else { return nil }
        let chain = active.manifest.chain
        guard let tap = chain.taps.first(where: { [name] in $0.name == name }) else { return nil }
        var numbers: [TapPoint: Int] = [:]
        for (number, point) in tap.points.enumerated().prefix(Tap.maximumPoints) {
            numbers[point] = number
            means[number, default: IntervalMean()].update(sum: word(number, 0), count: word(number, 8))
        }
        func mean(_ point: TapPoint) -> IntervalMean? { numbers[point].flatMap { means[$0] } }
        if let first = chain.members.first {
            overhead = mean(TapPoint(.entry, member: first.name))?.mean ?? overhead
        }
        // Another one came first before anything was measured: what is between two members is as good.
        overhead =
            overhead ?? chain.members.lazy.compactMap { mean(TapPoint(.entry, member: $0.name))?.mean }.first
        guard let overhead else { return [] }
        return chain.members.compactMap { member in
            guard let measured = mean(TapPoint(.exit, member: member.name)), let mean = measured.mean
            else { return nil }
            return MemberCost(
                member: member.name, nanosecondsPerPacket: max(mean - overhead, 0), packets: measured.count)
        }
    }

    /// Takes the tap out, and gives back what was adopted for it. Doing it again is no error.
    public func end() throws(XDPError) {
        guard !hasEnded else { return }
        hasEnded = true
        defer { guardian.end() }
        guard try occupant() != nil else { return }
        _ = try editor.endTap(name)
    }

    /// nil if the interface is gone.
    private func occupant() throws(XDPError) -> Occupant? {
        guard let current = try interface.refreshed() else { return nil }
        return try current.occupant()
    }

    private func word(_ point: Int, _ offset: Int) -> UInt64 {
        let place = page.memory + MeterPage.sums + 16 * point + offset
        return UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self)).pointee.load(
            ordering: .relaxed)
    }
}
