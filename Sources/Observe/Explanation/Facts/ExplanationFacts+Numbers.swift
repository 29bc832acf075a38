// SPDX-License-Identifier: Apache-2.0
import XDP

extension InterfaceSample {
    /// By how much a counter of the stack's side grew; nil where it is not there.
    public func grown(_ name: String, since before: InterfaceSample) -> UInt64? {
        Self.grown(name, from: before.stack, to: stack)
    }

    /// The same of a counter of the driver.
    public func grownInDriver(_ name: String, since before: InterfaceSample) -> UInt64? {
        Self.grown(name, from: before.driverCounters, to: driverCounters)
    }

    private static func grown(_ name: String, from old: [Named], to new: [Named]) -> UInt64? {
        guard let new = new.first(where: { $0.name == name })?.value else { return nil }
        let old = old.first { $0.name == name }?.value ?? 0
        // A card that reset itself begins anew.
        return new >= old ? new - old : new
    }
}

extension ExplanationFacts {
    /// By how much a counter of the stack's side grew: "rx_dropped".
    public func grown(_ name: String) -> UInt64 { after.grown(name, since: before) ?? 0 }

    /// Counters of the driver that grew, and by how much.
    public var driverGrowth: [InterfaceSample.Named] {
        after.driverCounters.compactMap { counter in
            guard let grown = after.grownInDriver(counter.name, since: before), grown > 0 else { return nil }
            return InterfaceSample.Named(name: counter.name, value: grown)
        }
    }

    /// What counters of the driver whose names end so grew by together: those of all queues.
    public func grownInDriver(suffix: String) -> UInt64 {
        driverGrowth.reduce(0) { $0 + ($1.name.hasSuffix(suffix) ? $1.value : 0) }
    }

    /// Packets that came to the interface: what the chain saw, or where that is not known what the stack or the driver
    /// counted.
    public var arrived: UInt64 {
        if let total = program?.members.first?.total, program?.hasChanged == false {
            return total
        }
        return max(grown("rx_packets"), xdpPacketsOfDriver)
    }

    /// Packets that the driver says programs saw, by the names of several drivers; 0 where it does not say.
    public var xdpPacketsOfDriver: UInt64 {
        driverGrowth.reduce(0) {
            $0 + ($1.name.hasSuffix("xdp_packets") ? $1.value : 0)
        }
    }

    /// Whether the driver counts what programs see.
    public var hasXDPPacketsOfDriver: Bool {
        after.driverCounters.contains { $0.name.hasSuffix("xdp_packets") }
    }

    /// Packets that the driver says a program dropped; nil where it does not count them.
    public var xdpDropsOfDriver: UInt64? {
        let names = ["xdp_drops", "xdp_drop"]
        let has = after.driverCounters.contains { counter in names.contains { counter.name.hasSuffix($0) } }
        guard has else { return nil }
        return names.reduce(0) { $0 + grownInDriver(suffix: $1) }
    }

    /// Packets that the kernel itself dropped between the driver and the protocols: `rx_dropped` without what the driver
    /// counts in it as well.
    ///
    /// veth adds what failed of redirects; tun adds what programs dropped, so of one whose verdicts nobody counts nothing is
    /// known.
    public var droppedBehindDriver: UInt64 {
        let all = grown("rx_dropped")
        switch features.driver?.name {
        case "veth":
            let own = driverGrowth.reduce(0) {
                $0
                    + ($1.name.hasPrefix("rx_queue_") && $1.name.hasSuffix("_drops")
                        && !$1.name.hasSuffix("_xdp_drops")
                        ? $1.value : 0)
            }
            return all > own ? all - own : 0
        case "tun":
            guard let program, program.mode == .native else { return all }
            guard program.isCounted else { return 0 }
            let lost =
                [Verdict.drop, .aborted].reduce(0) { $0 + (program.ended($1) ?? 0) }
                + program.members.reduce(0) { $0 + $1.unknown } + failedRedirects
            return all > lost ? all - lost : 0
        default: return all
        }
    }

    // MARK: Events

    /// What the tracepoints told of this interface, and of the program that runs on it.
    public func events(_ kind: XDPEvent.Kind) -> [XDPEvent] {
        (events.value ?? []).filter { event in
            guard event.key.kind == kind else { return false }
            // Before a kernel tells it the namespace is not known; programs have numbers of their own everywhere.
            if namespace != 0, event.key.namespace != 0, event.key.namespace != namespace { return false }
            if event.key.program != 0, program?.programIDs.contains(event.key.program) != true {
                return false
            }
            switch kind {
            case .attachFailed: return true
            // A queue has no interface.
            case .cpumapEnqueue, .cpumapRun: return redirectMaps.contains(event.key.map)
            default: return event.key.interface == index
            }
        }
    }

    /// Why nothing is known of events of some kinds; nil where it is.
    public func blindness(_ kinds: XDPEvent.Kind...) -> String? {
        if let reason = events.reason { return reason }
        return kinds.lazy.compactMap { unwatched[$0] }.first
    }

    /// The maps that the members redirect through.
    private var redirectMaps: Set<UInt32> {
        Set((program?.members ?? []).flatMap { $0.code.redirects.compactMap(\.mapID) })
    }

    /// Packets that could not be redirected, as far as the kernel told.
    public var failedRedirects: UInt64 {
        let refused = events(.redirectError).reduce(0) { $0 + ($1.isFullQueue ? 0 : $1.count) }
        let told = refused + events(.devmapTransmit).reduce(0) { $0 + $1.dropped } + droppedByQueues
        guard let redirected = program?.ended(.redirect), told > redirected else { return told }
        return redirected
    }

    /// Packets for which the queue of a processor had no room. In generic mode two tracepoints tell of each.
    public var droppedByQueues: UInt64 {
        max(
            events(.cpumapEnqueue).reduce(0) { $0 + $1.dropped },
            events(.redirectError).reduce(0) { $0 + ($1.isFullQueue ? $1.count : 0) })
    }

    /// Packets that were to go back out and were dropped: what the tracepoints or the driver say.
    public var failedTransmits: UInt64 {
        let told = max(
            events(.bulkTransmit).reduce(0) { $0 + $1.dropped },
            grownInDriver(suffix: "xdp_tx_errors") + grownInDriver(suffix: "xdp_tx_drops")
                + grownInDriver(suffix: "xdp_tx_err"))
        guard let sent = program?.ended(.tx) else { return told }
        return min(told, sent)
    }
}
