// SPDX-License-Identifier: Apache-2.0

/// What a program says shall happen to a packet (`enum xdp_action` in linux/bpf.h).
public enum Verdict: UInt32, Sendable, Hashable, Codable, CaseIterable, Comparable, CustomStringConvertible {
    /// Dropped, and reported by the tracepoint xdp_exception: the program found an error in itself.
    case aborted = 0
    case drop = 1
    /// On to the network stack.
    case pass = 2
    /// Back out of the interface it came in by.
    case tx = 3
    /// Out of another interface, to another CPU or to an AF_XDP socket.
    case redirect = 4

    /// The name as it is typed: "drop".
    public var description: String {
        switch self {
        case .aborted: "aborted"
        case .drop: "drop"
        case .pass: "pass"
        case .tx: "tx"
        case .redirect: "redirect"
        }
    }

    /// Reads a name, with or without the "XDP_" before it, in any case.
    public init?(parsing text: String) {
        var name = text.lowercased()
        if name.hasPrefix("xdp_") { name.removeFirst(4) }
        guard let found = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = found
    }

    public static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }
}
