// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Packets

/// Changes settings of an interface of the calling thread's network namespace, by ioctl(2) as ethtool(8) does.
public enum EthtoolSwitch {
    /// `struct ethtool_value` and the part of `struct ifreq` that is used.
    private struct Value {
        var command: UInt32
        var value: UInt32
    }

    /// Switches generic receive offload.
    public static func setGRO(_ isOn: Bool, of interface: String) throws(PacketDeviceError) {
        var argument = Value(command: UInt32(ETHTOOL_SGRO), value: isOn ? 1 : 0)
        try withUnsafeMutablePointer(to: &argument) { pointer throws(PacketDeviceError) in
            try call(pointer, of: interface)
        }
    }

    /// Sets how many queues there are.
    public static func setChannels(
        receive: UInt32, transmit: UInt32, of interface: String
    ) throws(PacketDeviceError) {
        var argument = ethtool_channels()
        argument.cmd = UInt32(ETHTOOL_GCHANNELS)
        try withUnsafeMutablePointer(to: &argument) { pointer throws(PacketDeviceError) in
            try call(pointer, of: interface)
        }
        argument.cmd = UInt32(ETHTOOL_SCHANNELS)
        argument.rx_count = receive
        argument.tx_count = transmit
        try withUnsafeMutablePointer(to: &argument) { pointer throws(PacketDeviceError) in
            try call(pointer, of: interface)
        }
    }

    private static func call(
        _ argument: UnsafeMutableRawPointer, of interface: String
    ) throws(PacketDeviceError) {
        var request = ifreq()
        withUnsafeMutableBytes(of: &request.ifr_ifrn.ifrn_name) { bytes in
            bytes.dropLast().copyBytes(from: interface.utf8.prefix(bytes.count - 1))
        }
        request.ifr_ifru.ifru_data = argument.assumingMemoryBound(to: CChar.self)
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        let code = cbpf_ioctl_pointer(socket, UInt(SIOCETHTOOL), &request)
        guard code >= 0 else { throw PacketDeviceError(operation: "SIOCETHTOOL \(interface)", code: -code) }
    }
}
