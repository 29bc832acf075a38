// SPDX-License-Identifier: Apache-2.0

/// What the numbers of an event are called, as far as that is known, and what is known of the interfaces.
public struct EventNames: Sendable, Hashable {
    /// "eth0", "veth1 in namespace blue"; nil for one that is gone, or was never there.
    public var interface: String?
    public var target: String?
    /// The program: "ids", "ids → lb", "xdp_fw".
    public var program: String?
    /// Members of the program's chain that answered what the event is about.
    public var members: [String] = []
    public var map: String?
    /// Why the target takes no packets from programs now, and what to do; nil where it does, or that is not known.
    public var targetObstacle: String?
    public var targetRemedy: String?
    /// What makes the other end of the event's interface take packets, if it is a veth whose end does not.
    public var peerRemedy: String?
    /// Of the target: bytes, without the link-layer header; 0 where that is not known.
    public var targetMTU: UInt32 = 0

    public init(
        interface: String? = nil, target: String? = nil, program: String? = nil, members: [String] = [],
        map: String? = nil
    ) {
        self.interface = interface
        self.target = target
        self.program = program
        self.members = members
        self.map = map
    }
}
