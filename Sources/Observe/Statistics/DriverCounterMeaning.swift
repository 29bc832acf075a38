// SPDX-License-Identifier: Apache-2.0

/// What a counter of a driver says about XDP.
public struct DriverCounterMeaning: Sendable, Hashable {
    /// What is counted, in the same words for all drivers.
    public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
        case seen, passed, dropped, aborted, invalid
        case notPassed = "not-passed"
        case sentBack = "sent-back"
        case sendBackFailed = "send-back-failed"
        case redirected
        case redirectFailed = "redirect-failed"
        case lost
        case sent
        case sendFailed = "send-failed"
        case neverSeen = "never-seen"
        case tooLong = "too-long"
        case bytes
        case detail

        /// For people.
        public var explanation: String {
            switch self {
            case .seen: "packets that a program saw"
            case .passed: "packets passed to the stack by a program"
            case .dropped: "packets dropped because a program said so"
            case .aborted: "packets dropped because a program gave aborted, or what it wanted failed"
            case .invalid: "packets dropped because the verdict is none"
            case .notPassed: "packets with any verdict but pass"
            case .sentBack: "packets sent back (tx)"
            case .sendBackFailed: "packets that could not be sent back (tx): the ring was full"
            case .redirected: "packets redirected"
            case .redirectFailed: "packets that could not be redirected"
            case .lost:
                "packets lost although no program dropped them: a redirect or tx that failed, no memory"
            case .sent: "packets that came from other interfaces by redirect, and were sent"
            case .sendFailed: "packets that came by redirect and could not be sent"
            case .neverSeen: "packets that no program saw: no room in the ring, or no memory"
            case .tooLong: "packets that no program saw: longer than the interface takes"
            case .bytes: "bytes"
            case .detail: "work of the ring that XDP sends with"
            }
        }
    }

    /// The driver's name of it; `#` stands for a number, `*` at the beginning for nothing or whatever ends in `_` or `.`.
    public let pattern: String
    public let role: Role

    public init(_ pattern: String, _ role: Role) {
        self.pattern = pattern
        self.role = role
    }

    /// Whether it counts one queue: then those of all queues make the sum.
    public var isPerQueue: Bool { pattern.contains("#") }

    /// What a counter is called beside others: those of all queues have one name together.
    public func name(of counter: String) -> String {
        guard isPerQueue else { return counter }
        return pattern.split(separator: "#", omittingEmptySubsequences: false).joined(separator: "*")
    }

    /// Whether a name is of this pattern.
    public func matches(_ name: String) -> Bool {
        guard pattern.hasPrefix("*") else { return Self.matches(name.utf8[...], pattern.utf8[...]) }
        let end = pattern.utf8.dropFirst()
        var rest = name.utf8[...]
        while true {
            if Self.matches(rest, end) { return true }
            guard let mark = rest.firstIndex(where: { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") })
            else { return false }
            rest = rest[mark...].dropFirst()
        }
    }

    private static func matches(_ name: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
        var rest = name
        for byte in pattern {
            if byte != UInt8(ascii: "#") {
                guard rest.popFirst() == byte else { return false }
                continue
            }
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty else { return false }
            rest = rest.dropFirst(digits.count)
        }
        return rest.isEmpty
    }
}
