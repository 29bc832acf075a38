// SPDX-License-Identifier: Apache-2.0
import XDP

/// Who drives an interface.
struct DriverStatus: Encodable {
    let name: String
    let version: String?
    let firmware: String?
    let bus: String?

    init(_ driver: InterfaceFeatures.Driver) {
        name = driver.name
        version = driver.version.isEmpty ? nil : driver.version
        firmware = driver.firmware.isEmpty ? nil : driver.firmware
        bus = driver.bus.isEmpty ? nil : driver.bus
    }
}

/// How many queues are in use, and how many there can be.
struct QueuesStatus: Encodable {
    let receive: UInt32
    let transmit: UInt32
    let combined: UInt32
    let maximumReceive: UInt32
    let maximumTransmit: UInt32
    let maximumCombined: UInt32

    init(_ queues: InterfaceFeatures.Queues) {
        receive = queues.receive
        transmit = queues.transmit
        combined = queues.combined
        maximumReceive = queues.maximumReceive
        maximumTransmit = queues.maximumTransmit
        maximumCombined = queues.maximumCombined
    }
}

/// How long the rings are.
struct RingsStatus: Encodable {
    let receive: UInt32
    let transmit: UInt32
    let maximumReceive: UInt32
    let maximumTransmit: UInt32

    init(_ rings: InterfaceFeatures.Rings) {
        receive = rings.receive
        transmit = rings.transmit
        maximumReceive = rings.maximumReceive
        maximumTransmit = rings.maximumTransmit
    }
}

/// The other end of a veth.
struct PeerStatus: Encodable {
    let name: String
    let index: UInt32
    let namespace: String?
    let isElsewhere: Bool
    let isUp: Bool
    let mtu: UInt32
    let nativeProgram: UInt32?
    let gro: Bool?
    let transmitQueues: UInt32?

    init(_ peer: InterfacePeer) {
        name = peer.name
        index = peer.index
        namespace = peer.namespace
        isElsewhere = peer.isElsewhere
        isUp = peer.isUp
        mtu = peer.mtu
        nativeProgram = peer.nativeProgramID
        gro = peer.gro
        transmitQueues = peer.transmitQueues
    }
}
