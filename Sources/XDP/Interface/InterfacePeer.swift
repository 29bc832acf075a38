// SPDX-License-Identifier: Apache-2.0

/// The other end of a veth.
public struct InterfacePeer: Sendable, Hashable {
    public var name: String
    public var index: UInt32
    /// The name or the path of its network namespace; nil where that is the same one, or has neither.
    public var namespace: String?
    /// Whether it is in another network namespace, whose name may be unknown.
    public var isElsewhere: Bool
    public var isUp: Bool
    /// Bytes, without the link-layer header.
    public var mtu: UInt32
    /// The program that runs in its driver.
    public var nativeProgramID: UInt32?
    /// Whether its GRO is on; nil where that could not be asked.
    public var gro: Bool?
    /// Its transmit queues that are in use; nil where that could not be asked.
    public var transmitQueues: UInt32?

    public init(
        name: String, index: UInt32, namespace: String? = nil, isElsewhere: Bool = false, isUp: Bool = true,
        mtu: UInt32 = 1500, nativeProgramID: UInt32? = nil, gro: Bool? = nil, transmitQueues: UInt32? = nil
    ) {
        self.name = name
        self.index = index
        self.namespace = namespace
        self.isElsewhere = isElsewhere
        self.isUp = isUp
        self.mtu = mtu
        self.nativeProgramID = nativeProgramID
        self.gro = gro
        self.transmitQueues = transmitQueues
    }

    /// "vb", "vb in namespace blue".
    public var description: String {
        guard isElsewhere else { return name }
        return namespace.map { "\(name) in namespace \($0)" } ?? "\(name) in another namespace"
    }

    /// A command as it has to be typed to work where the peer is.
    public func command(_ text: String) -> String {
        guard isElsewhere else { return "`\(text)`" }
        guard let namespace else { return "`\(text)` in the peer's namespace" }
        if namespace.contains("/") { return "`nsenter --net=\(namespace) \(text)`" }
        return "`ip netns exec \(namespace) \(text)`"
    }
}
