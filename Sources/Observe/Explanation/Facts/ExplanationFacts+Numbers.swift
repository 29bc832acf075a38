// SPDX-License-Identifier: Apache-2.0
import XDP

extension InterfaceSample {
    /// By how much a counter of the stack's side grew; nil where it is not there.
    public func grown(_ name: String, since before: InterfaceSample) -> UInt64? {
        guard let new = stackCounter(name) else { return nil }
        let old = before.stackCounter(name) ?? 0
        // A card that reset itself begins anew.
        return new >= old ? new - old : new
    }
}

extension ExplanationFacts {
    /// By how much a counter of the stack's side grew: "rx_dropped".
    public func grown(_ name: String) -> UInt64 { after.grown(name, since: before) ?? 0 }

    /// Counters of the driver that grew, and by how much.
    public var driverGrowth: [InterfaceSample.Named] {
        driverDifference.filter { $0.value > 0 }
    }

    /// All counters of the driver, by how much they grew. There may be thousands.
    private var driverDifference: [InterfaceSample.Named] {
        SampleDifference(from: before, to: after).counted.driverCounters
    }

    private var driverName: String { features.driver?.name ?? after.driver }

    /// What counters of the driver that mean so grew by together (``DriverProfile``); nil where it has none of that meaning.
    public func grownInDriver(_ role: DriverCounterMeaning.Role) -> UInt64? {
        ExplainedCounters(driverDifference, of: driverName).sum(role)
    }

    /// Counters of the driver that mean so and grew, and by how much; those of queues together.
    public func driverGrowth(_ role: DriverCounterMeaning.Role) -> [InterfaceSample.Named] {
        ExplainedCounters(driverGrowth, of: driverName).counters(role)
    }

    /// Packets that came to the interface: what the chain saw, or where that is not known what the stack or the driver
    /// counted.
    public var arrived: UInt64 {
        if let total = program?.members.first?.total, program?.hasChanged == false {
            return total
        }
        return max(grown("rx_packets"), xdpPacketsOfDriver)
    }

    /// Packets that the driver says programs saw; 0 where it does not say.
    public var xdpPacketsOfDriver: UInt64 { grownInDriver(.seen) ?? 0 }

    /// Packets that the driver says a program dropped; nil where it does not count them.
    public var xdpDropsOfDriver: UInt64? { grownInDriver(.dropped) }

    /// Packets that the kernel itself dropped between the driver and the protocols: `rx_dropped` without what the driver
    /// counts in it as well.
    ///
    /// veth adds what failed of redirects; tun adds what programs dropped.
    public var droppedBehindDriver: UInt64 {
        let all = grown("rx_dropped")
        switch features.driver?.name {
        case "veth":
            let own = grownInDriver(.lost) ?? 0
            return all > own ? all - own : 0
        case "tun":
            guard let program, program.mode == .native else { return all }
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

    /// The maps that the members redirect through.
    private var redirectMaps: Set<UInt32> {
        Set((program?.members ?? []).flatMap { $0.code.redirects.compactMap(\.mapID) })
    }

    /// Packets that could not be redirected, as far as the kernel told.
    public var failedRedirects: UInt64 {
        let told = events(.redirectError).reduce(0) { $0 + $1.count } + droppedInTransit
        guard let redirected = program?.ended(.redirect), told > redirected else { return told }
        return redirected
    }

    /// Packets that were redirected and then dropped on the way out, or on the way to another processor.
    public var droppedInTransit: UInt64 {
        [XDPEvent.Kind.devmapTransmit, .cpumapEnqueue].reduce(0) { sum, kind in
            events(kind).reduce(sum) { $0 + $1.dropped }
        }
    }

    /// Counters of the driver for packets that could not be sent back, and by how much they grew. Some drivers, such as
    /// virtio_net, count them with those that came by redirect.
    var unsentCounters: [InterfaceSample.Named] {
        driverGrowth(grownInDriver(.sendBackFailed) == nil ? .sendFailed : .sendBackFailed)
    }

    /// Packets that were to go back out and were dropped: what the tracepoints or the driver say.
    public var failedTransmits: UInt64 {
        let told = max(
            events(.bulkTransmit).reduce(0) { $0 + $1.dropped },
            unsentCounters.reduce(0) { $0 &+ $1.value })
        guard let sent = program?.ended(.tx) else { return told }
        return min(told, sent)
    }
}
