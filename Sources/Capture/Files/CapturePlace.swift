// SPDX-License-Identifier: Apache-2.0
import XDP

/// An interface, and a point of its chain, as a capture file names them: `eth0 ids:exit`.
///
/// | Name | Point |
/// |---|---|
/// | `eth0 start` | before the first member |
/// | `eth0 ids:entry`, `eth0 ids:exit` | before and after a member |
/// | `eth0 ids:end` | after the chain; ids gave the verdict |
/// | `eth0 end` | the same where no member did |
/// | `eth0:ids()@fentry`, `…@fexit` | the same as entry and exit, by xdpdump of xdp-tools |
/// | anything else | an interface alone |
public struct CapturePlace: Sendable, Hashable, CustomStringConvertible {
    public var interface: String
    public var point: TapPoint?

    public init(interface: String, point: TapPoint?) {
        self.interface = interface
        self.point = point
    }

    public init(parsing name: String) {
        if let space = name.lastIndex(of: " "),
            let point = Self.point(name[name.index(after: space)...])
        {
            self.init(interface: String(name[..<space]), point: point)
        } else if let place = Self.place(ofXDPDump: name) {
            self = place
        } else {
            self.init(interface: name, point: nil)
        }
    }

    public var description: String {
        point.map { "\(interface) \(Self.text($0))" } ?? interface
    }

    /// Of a point, with the member that gave the verdict at the end.
    public static func text(_ point: TapPoint) -> String {
        point.kind == .end && !point.member.isEmpty ? "\(point.member):end" : point.description
    }

    private static func point(_ text: Substring) -> TapPoint? {
        switch text {
        case "start": return TapPoint(.start)
        case "end": return TapPoint(.end)
        default: break
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let member = String(text[..<colon])
        guard Member.isValid(name: member) else { return nil }
        switch text[text.index(after: colon)...] {
        case "entry": return TapPoint(.entry, member: member)
        case "exit": return TapPoint(.exit, member: member)
        case "end": return TapPoint(.end, member: member)
        default: return nil
        }
    }

    private static func place(ofXDPDump name: String) -> CapturePlace? {
        let ways: [(String, TapPoint.Kind)] = [("()@fentry", .entry), ("()@fexit", .exit)]
        guard let way = ways.first(where: { name.hasSuffix($0.0) }), let colon = name.firstIndex(of: ":")
        else { return nil }
        let member = String(name[name.index(after: colon)...].dropLast(way.0.count))
        guard Member.isValid(name: member) else { return nil }
        return CapturePlace(interface: String(name[..<colon]), point: TapPoint(way.1, member: member))
    }
}
