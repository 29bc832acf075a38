// SPDX-License-Identifier: Apache-2.0

/// What a driver counts of XDP, and which of its counters must agree with the chain's in native mode.
public struct DriverProfile: Sendable {
    /// Which packets the stack's `rx_packets` has in native mode.
    public enum Received: Sendable, Hashable {
        /// All that arrived, whatever the verdict.
        case all
        /// Only those that were passed.
        case passed
        /// What the driver does depends on the kernel or the card.
        case unknown
    }

    /// What the chain counted, by how packets left it; `aborted` has codes that are no verdict, too.
    public enum Outcome: Sendable, Hashable {
        case all, pass, drop, aborted, tx, redirect
    }

    /// Counters of the driver or the stack, and the packets of the chain that they have to be as many as.
    public struct Equation: Sendable, Hashable {
        public var roles: [DriverCounterMeaning.Role] = []
        /// Names of ``Netlink/LinkStatistics``, in place of roles.
        public var stack: [String] = []
        public var outcomes: [Outcome]
        /// What else the driver counts there; nil where nothing.
        public var surplus: Surplus?
    }

    /// Why a sum of a driver may be more than the packets that it is held against.
    public struct Surplus: Sendable, Hashable {
        public var words: String
        /// The packets of which these can be: so it is never more than as many.
        public var atMost: [Outcome]

        init(_ words: String, of atMost: [Outcome]) {
            self.words = words
            self.atMost = atMost
        }
    }

    /// As drivers call themselves (`ethtool -i`).
    public let drivers: [String]
    public let counters: [DriverCounterMeaning]
    public let received: Received
    public let equations: [Equation]
    /// What one has to know about it; empty where there is nothing.
    public let remark: String

    init(
        _ drivers: [String], received: Received, remark: String = "", counters: [DriverCounterMeaning] = [],
        equations: [Equation] = []
    ) {
        self.drivers = drivers
        self.received = received
        self.remark = remark
        self.counters = counters
        self.equations = equations
    }

    /// The profile of a driver; nil for one that is not in the table.
    public static func of(_ driver: String) -> DriverProfile? {
        all.first { $0.drivers.contains(driver) }
    }

    /// What a counter of a driver means: as the driver's own profile says, else as names that many drivers use say
    /// (``usual``). nil where it has nothing to do with where packets go, or that is not known.
    public static func meaning(of name: String, driver: String) -> DriverCounterMeaning? {
        of(driver)?.counters.first { $0.matches(name) } ?? usual.first { $0.matches(name) }
    }
}
