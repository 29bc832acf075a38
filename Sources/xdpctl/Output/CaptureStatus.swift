// SPDX-License-Identifier: Apache-2.0
import XDP

/// Somebody who looks at packets of a chain.
struct CaptureStatus: Encodable, Sendable {
    let name: String
    /// As it was typed.
    let purpose: String
    /// The process that reads, as process 1 of its own namespace sees it.
    let process: UInt32
    /// As they are typed: "start", "ids:exit", "end".
    let points: [String]
    /// Whether that process is still there.
    let alive: Bool

    init(_ tap: Tap, in chain: Chain) {
        name = tap.name
        purpose = tap.purpose
        process = tap.process
        var seen: [String] = []
        for point in chain.tapPoints where tap.selection.includes(point) {
            let text = point.description
            if !seen.contains(text) { seen.append(text) }
        }
        points = seen
        alive = tap.hasOwner()
    }

    var text: String {
        let what = purpose.isEmpty ? "all packets" : Terminal.clean(purpose)
        let places = points.isEmpty ? "nowhere yet" : points.joined(separator: ", ")
        let state = alive ? "" : "; the process is gone"
        return "\(Terminal.clean(name)): \(what), at \(places), for process \(process)\(state)"
    }
}
