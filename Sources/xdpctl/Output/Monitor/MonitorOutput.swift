// SPDX-License-Identifier: Apache-2.0
import Filter
import Observe

/// A line of `xdpctl monitor`. Documentation/json.md describes the fields.
struct MonitorOutput: Encodable {
    struct InterfacePart: Encodable {
        let index: UInt32
        /// nil: it is gone, or in a namespace that cannot be found.
        let name: String?
        /// The inode of its network namespace.
        let namespace: UInt32?
    }

    struct ProgramPart: Encodable {
        let id: UInt32
        let name: String?
        /// Members of the chain that counted what the event is about.
        var members: [String]?
    }

    struct MapPart: Encodable {
        let id: UInt32
        let name: String?
        let key: UInt32
    }

    struct ProcessPart: Encodable {
        let id: UInt32
        let command: String
    }

    var format = 1
    /// "watching", "missing", a kind of event, "others", "attached", "changed", "detached".
    let event: String
    var time: String?
    /// Whether it is the first of its kind.
    var first: Bool?
    var interfaces: [String]?
    var interface: InterfacePart?
    var target: InterfacePart?
    var program: ProgramPart?
    var previousProgram: UInt32?
    var map: MapPart?
    var cpu: UInt32?
    var verdict: UInt32?
    var error: Int32?
    var count: UInt64?
    var dropped: UInt64?
    var sent: UInt64?
    var process: ProcessPart?
    /// What the kernel said.
    var message: String?
    var tracepoint: String?
    var reason: String?
    var rule: String?
    var what: String?
    var meaning: String?
    var remedy: String?
    /// For people.
    let text: String

    private enum CodingKeys: CodingKey {
        case format, event, time, first, interfaces, interface, target, program, previousProgram, map, cpu,
            verdict
        case error, count, dropped, sent, process, message, tracepoint, reason, rule, what, meaning, remedy
    }

    /// It tells of the watching, not of an event.
    var isRemark: Bool { event == "watching" || event == "missing" }

    private init(_ event: String, _ text: String) {
        self.event = event
        self.text = text
    }

    static func watching(_ interfaces: [String], everywhere: Bool) -> Self {
        let named = interfaces.joined(separator: ", ")
        let all =
            everywhere
            ? "all interfaces of all network namespaces" : "all interfaces of the network namespace"
        var output = Self("watching", "watching \(interfaces.isEmpty ? all : named)")
        output.interfaces = interfaces
        return output
    }

    static func others(_ count: UInt64) -> Self {
        var output = Self(
            "others", "\(Number.grouped(count)) more events, of more kinds than can be told apart at once")
        output.count = count
        return output
    }

    init(_ missing: XDPEventWatch.Missing) {
        self.init(
            "missing",
            "not watched: \(missing.kind.rawValue) (tracepoint \(missing.tracepoint)): \(missing.reason)")
        tracepoint = missing.tracepoint
        reason = missing.reason
    }

    init(_ change: AttachmentWatch.Event, program name: String?) {
        let now = WallClock.now()
        let program = name.map(Terminal.clean) ?? "program \(change.after)"
        let what =
            switch change.kind {
            case .attached: "\(program) was attached"
            case .changed: "\(program) took the place of program \(change.before)"
            case .detached: "nothing is attached any more"
            }
        self.init(
            change.kind.rawValue, "\(now.local.prefix(12)) \(Terminal.clean(change.interface)): \(what)")
        time = now.utc
        interface = InterfacePart(index: change.index, name: change.interface, namespace: nil)
        if change.after != 0 { self.program = ProgramPart(id: change.after, name: name) }
        if change.before != 0 { previousProgram = change.before }
        self.what = what
    }

    init(_ happened: XDPEvent, names: EventNames, isFirst: Bool, at time: WallClock) {
        let key = happened.key
        let meaning = EventMeaning(happened, names: names)
        let place = names.interface ?? (key.interface == 0 ? nil : "interface \(key.interface)")
        let what = Terminal.clean(meaning.what)
        self.init(
            key.kind.rawValue,
            "\(time.local.prefix(12)) \(place.map { Terminal.clean($0) + ": " } ?? "")\(what)"
                + Self.amount(happened))
        self.time = time.utc
        first = isFirst
        if key.interface != 0 {
            interface = InterfacePart(index: key.interface, name: names.interface, namespace: key.namespace)
        }
        if key.target != 0 {
            target = InterfacePart(index: key.target, name: names.target, namespace: key.targetNamespace)
        }
        if key.program != 0 {
            program = ProgramPart(
                id: key.program, name: names.program, members: names.members.isEmpty ? nil : names.members)
        }
        if key.map != 0 { map = MapPart(id: key.map, name: names.map, key: key.mapKey) }
        if key.kind == .cpumapEnqueue || key.kind == .cpumapRun { cpu = key.cpu }
        if key.kind == .exception { verdict = key.verdict }
        if key.error != 0 { error = key.error }
        count = happened.count
        if key.kind == .attachFailed {
            process = ProcessPart(id: happened.process, command: happened.command)
            message = happened.text
        } else {
            dropped = happened.dropped
            sent = happened.sent
        }
        rule = meaning.rule
        self.what = meaning.what
        self.meaning = meaning.meaning
        remedy = meaning.remedy
    }

    /// ", 12 345 packets"; of what is both dropped and sent, both.
    private static func amount(_ event: XDPEvent) -> String {
        func packets(_ count: UInt64) -> String {
            "\(Number.grouped(count)) \(count == 1 ? "packet" : "packets")"
        }
        if event.key.kind == .attachFailed { return "" }
        if event.dropped > 0, event.sent > 0 {
            return ": \(packets(event.dropped)), and \(Number.grouped(event.sent)) came through"
        }
        return ": " + packets(event.dropped > 0 ? event.dropped : event.sent)
    }
}
