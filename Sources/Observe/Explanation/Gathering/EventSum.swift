// SPDX-License-Identifier: Apache-2.0

/// What tracepoints told over a time, like events added up: however long it is, they are no more than there are kinds.
struct EventSum {
    /// Failed attachments have no key that tells them apart, but a text.
    private struct Likeness: Hashable {
        let key: XDPEvent.Key
        let text: String
    }

    private var found: [Likeness: XDPEvent] = [:]

    mutating func add(_ events: [XDPEvent]) {
        for event in events {
            let likeness = Likeness(key: event.key, text: event.text)
            if found[likeness] == nil {
                found[likeness] = event
            } else {
                found[likeness]?.add(event)
            }
        }
    }

    /// By the time of the last one of each kind.
    var events: [XDPEvent] { found.values.sorted { $0.time < $1.time } }
}
