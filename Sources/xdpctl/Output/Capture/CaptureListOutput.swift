// SPDX-License-Identifier: Apache-2.0
import Capture
import XDP

/// What `xdpctl capture IFACE --list` shows.
struct CaptureListOutput: Encodable {
    struct CapturePart: Encodable {
        let name: String
        /// The process that reads it, as process 1 of its namespace sees it.
        let process: UInt32
        /// As it was typed.
        let purpose: String
        let points: [String]
        let isAlive: Bool
    }

    let format = 1
    let interface: String
    /// As they are typed.
    let points: [String]
    let captures: [CapturePart]
    /// What a capture would do first, where there is no chain.
    let note: String?

    init(_ interface: Interface) throws(XDPError) {
        self.interface = interface.name
        var chain = Chain()
        switch try interface.occupant() {
        case .chain(let active):
            chain = active.manifest.chain
            note = nil
        case .none:
            note = "nothing is attached: a capture makes an empty chain for its time"
        case .foreign(let program), .unreadable(let program, _):
            note =
                "program \(program.information.id) is attached by somebody else: a capture adopts it for its time"
        }
        var points: [String] = []
        for point in chain.tapPoints where !points.contains(point.description) {
            points.append(point.description)
        }
        self.points = points
        captures = chain.taps.map { tap in
            CapturePart(
                name: tap.name, process: tap.process, purpose: tap.purpose,
                points: tap.points.map(CapturePlace.text), isAlive: tap.hasOwner())
        }
    }

    var text: String {
        var lines = [Terminal.wrapped("points on \(interface): \(points.joined(separator: ", "))", indent: 2)]
        if let note { lines.append(Terminal.wrapped(note, indent: 2)) }
        if captures.isEmpty { lines.append("no capture runs") }
        for capture in captures {
            let state = capture.isAlive ? "" : " (its process is gone; the next change takes it out)"
            lines.append("\(capture.name), process \(capture.process)\(state)")
            lines.append(Terminal.paragraph(Terminal.clean(capture.purpose), indent: 2))
            lines.append(Terminal.paragraph("at " + capture.points.joined(separator: ", "), indent: 2))
        }
        return lines.joined(separator: "\n")
    }
}
