// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import SystemPackage

/// What an event means, and what to do about it.
///
/// It is looked up in ``table``, from the first entry on; the last ones of each kind take what no other does, so that every event
/// means something.
public struct EventMeaning: Sendable, Hashable {
    /// A stable name for scripts, in small letters and hyphens.
    public var rule: String
    /// What happened, as a sentence without its beginning: "a packet could not be redirected to veth1".
    public var what: String
    /// Why, and what follows.
    public var meaning: String
    /// What to do; nil where nothing is wrong.
    public var remedy: String?

    /// Looks an event up.
    public init(_ event: XDPEvent, names: EventNames = EventNames()) {
        let subject = Subject(event: event, names: names)
        let entry = Self.table.first { $0.applies(event.key, event.text) } ?? Self.unknown
        rule = entry.rule
        what = entry.what(subject)
        meaning = entry.meaning(subject)
        remedy = entry.remedy(subject)
    }

    /// All rules' names, in the order in which they are tried.
    public static var rules: [String] { table.map(\.rule) }

    /// An event with the words for what it is about.
    struct Subject {
        let event: XDPEvent
        let names: EventNames

        var key: XDPEvent.Key { event.key }
        var interface: String { names.interface ?? "interface \(key.interface)" }
        var target: String { names.target ?? "interface \(key.target)" }
        var program: String { names.program ?? "program \(key.program)" }
        var map: String { names.map ?? "map \(key.map)" }
        /// Where a redirect led to: "veth1 (entry 3 of ports)".
        var destination: String {
            if key.map == 0 { return key.target == 0 ? "nowhere" : target }
            let entry = "entry \(key.mapKey) of \(map)"
            return key.target == 0 ? entry : "\(target) (\(entry))"
        }
        /// "Operation not supported [EOPNOTSUPP]".
        var error: String {
            let errno = Errno(rawValue: -key.error)
            return "\(errno.description) [\(EventMeaning.name(of: key.error))]"
        }
    }

    /// A row of the table.
    struct Entry {
        let rule: String
        let applies: (XDPEvent.Key, String) -> Bool
        let what: (Subject) -> String
        let meaning: (Subject) -> String
        let remedy: (Subject) -> String?
    }

    /// The symbolic name of an error that drivers and the kernel's redirecting give.
    static func name(of error: Int32) -> String {
        switch -error {
        case ENETDOWN: "ENETDOWN"
        case EMSGSIZE: "EMSGSIZE"
        case EBADRQC: "EBADRQC"
        case EOVERFLOW: "EOVERFLOW"
        case ENOBUFS: "ENOBUFS"
        default: Errno(rawValue: -error).name
        }
    }

    // Entries stand in the order in which a packet meets them.
    private static var table: [Entry] {
        exceptions + redirects + transmissions + processors + attachments + successes
    }

    private static var unknown: Entry {
        Entry(
            rule: "unknown", applies: { _, _ in true }, what: { $0.event.key.kind.rawValue },
            meaning: { _ in "this version knows nothing of it" }, remedy: { _ in nil })
    }
}
