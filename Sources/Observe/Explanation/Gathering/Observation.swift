// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Netlink
import XDP

/// Watches an interface for a while, and gathers what explanations are concluded from.
///
/// Nothing is changed, unless packets are to be looked at: then a capture stands in the chain for the time.
public struct Observation {
    private let interface: Interface
    /// How long to watch, in seconds.
    public var seconds: Double
    /// Whether packets are captured as evidence.
    public var sampling = false

    public init(of interface: Interface, seconds: Double) {
        self.interface = interface
        self.seconds = seconds
    }

    /// What is read at both ends.
    private struct Look {
        var time: Double
        var sample: InterfaceSample
        var program: ProgramReading
        var peer: InterfaceSample?
        var relatives: [UInt32: InterfaceSample]
        var processors: SoftirqSample?
        var protocols: ProtocolReading
        var sockets: SocketReading
    }

    /// Watches.
    ///
    /// - Parameter goesOn: asked some times a second, with the seconds that have passed; false ends it early.
    public func gather(while goesOn: (Double) -> Bool) throws(XDPError) -> ExplanationFacts {
        var sampler = try InterfaceSampler()
        var collector = SampleCollector()
        let (session, refusal) = try startSampling()
        let features = try InterfaceFeatures.read(of: interface)
        let relatives = RelativeSurvey(of: interface, among: try Interface.all())
        let (watch, blindness) = Self.watch(interface)
        var sum = EventSum()

        let before = try look(&sampler, features.peer, relatives)
        let begin = Self.now()
        while true {
            let passed = Self.now() - begin
            guard passed < seconds, goesOn(passed) else { break }
            let wait = Int(max(1, min((seconds - passed) * 1000, session == nil ? 200 : 50)))
            if let session {
                _ = try session.read(milliseconds: wait) { Self.take($0, $1, &collector) }
                sum.add(try watch?.read(milliseconds: 0) ?? [])
            } else if let watch {
                sum.add(try watch.read(milliseconds: wait))
            } else {
                usleep(UInt32(wait * 1000))
            }
        }
        let after = try look(&sampler, features.peer, relatives)
        sum.add(try watch?.read(milliseconds: 0) ?? [])

        var facts = try conclude(before, after, sum.events, blindness, relatives)
        if let watch { Self.note(what: watch, in: &facts) }
        guard sampling else { return facts }
        _ = try session?.end { Self.take($0, $1, &collector) }
        facts.sample = session == nil ? .missing(refusal ?? "nothing is attached") : .known(collector.facts)
        facts.notes += session?.notes ?? [refusal].compactMap { $0 }
        return facts
    }

    private func conclude(
        _ before: Look, _ after: Look, _ events: [XDPEvent], _ blindness: String?, _ relatives: RelativeSurvey
    ) throws(XDPError) -> ExplanationFacts {
        let current = try Interface(named: interface.name)
        var facts = ExplanationFacts(
            interface: interface.name, index: interface.index, seconds: after.time - before.time,
            features: try InterfaceFeatures.read(of: current), before: before.sample, after: after.sample)
        facts.hasCarrier = current.link.isRunning
        let identity = try? NetworkNamespace.current().identity
        facts.namespace = identity.map { UInt32(truncatingIfNeeded: $0.inode) } ?? 0
        facts.program = try after.program.facts(
            since: before.program, (before.sample, after.sample), on: current)
        if let peer = facts.features.peer {
            facts.peer = PeerFacts(
                description: peer.description, before: before.peer, after: after.peer,
                leavesChecksums: PeerReading.leavesChecksums(peer))
        }
        facts.relatives = relatives.facts(from: before.relatives, to: after.relatives)
        facts.events = blindness.map { .missing($0) } ?? .known(events)
        facts.targets = try Self.targets(facts, events)
        facts.maps = Self.maps(events)
        if let old = before.processors, let new = after.processors {
            facts.processors = SoftirqLoad(from: old, to: new).processors
        }
        facts.protocols = after.protocols.grown(since: before.protocols)
        facts.sockets = after.sockets.facts(since: before.sockets, on: interface.index)
        return facts
    }

    private func look(
        _ sampler: inout InterfaceSampler, _ peer: InterfacePeer?, _ relatives: RelativeSurvey
    ) throws(XDPError) -> Look {
        let current = try Interface(named: interface.name)
        var others: [UInt32: InterfaceSample] = [:]
        for relative in relatives.relatives {
            others[relative.interface.index] = try? sampler.sample(relative.interface)
        }
        return Look(
            time: Self.now(), sample: try sampler.sample(current), program: try ProgramReading(of: current),
            peer: peer.flatMap { others[$0.isElsewhere ? 0 : $0.index] ?? PeerReading.sample($0) },
            relatives: others, processors: try? .read(), protocols: .now(), sockets: .now())
    }

    // MARK: Events

    private static func watch(_ interface: Interface) -> (XDPEventWatch?, String?) {
        do throws(XDPError) {
            return (try XDPEventWatch(interfaces: [interface.index]), nil)
        } catch {
            return (nil, "the kernel's tracepoints cannot be watched: \(error.why)")
        }
    }

    /// What was not watched, or could not be told apart.
    private static func note(what watch: XDPEventWatch, in facts: inout ExplanationFacts) {
        for missing in watch.missing {
            facts.unwatched[missing.kind] = "xdp:\(missing.tracepoint) is not watched: \(missing.reason)"
        }
        guard watch.others > 0 else { return }
        facts.notes.append(
            "the tracepoints told \(Amount.grouped(watch.others)) times more, of too many kinds to tell apart: "
                + "they are in no finding")
    }

    private static func targets(
        _ facts: ExplanationFacts, _ events: [XDPEvent]
    ) throws(XDPError) -> [UInt32: InterfaceFeatures] {
        var wanted = Set(events.map(\.key.target)).subtracting([0])
        for member in facts.program?.members ?? [] {
            for redirect in member.code.redirects { wanted.formUnion(redirect.interfaces) }
        }
        guard !wanted.isEmpty else { return [:] }
        var found: [UInt32: InterfaceFeatures] = [:]
        for interface in try Interface.all() where wanted.contains(interface.index) {
            found[interface.index] = try? InterfaceFeatures.read(of: interface)
        }
        return found
    }

    private static func maps(_ events: [XDPEvent]) -> [UInt32: String] {
        var found: [UInt32: String] = [:]
        for id in Set(events.map(\.key.map)) where id != 0 {
            guard let handle = try? MapHandle(id: id) else { continue }
            found[id] = handle.definition.name
        }
        return found
    }

    // MARK: Packets

    private func startSampling() throws(XDPError) -> (CaptureSession?, String?) {
        guard sampling else { return (nil, nil) }
        // Without a program there is nothing that a packet's fate could be seen of.
        if case .none = try interface.occupant() { return (nil, "no program is attached") }
        var request = CaptureRequest()
        request.purpose = "explain \(interface.name)"
        request.selection = TapSelection(end: true)
        request.snapLength = 16_384
        do throws(XDPError) {
            return (try CaptureSession(request, on: interface), nil)
        } catch {
            return (nil, "no packet could be looked at: \(error.why)")
        }
    }

    private static func take(_ frame: CapturedFrame, _ bytes: RawSpan, _ collector: inout SampleCollector) {
        let copy = bytes.withUnsafeBytes { Array($0) }
        collector.take(
            copy, length: Int(frame.record.length), member: frame.point.member, verdict: frame.verdict)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
