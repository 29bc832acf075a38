// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Who drives an interface (`ETHTOOL_GDRVINFO`): the one answer that ethtool gives by ioctl(2) alone.
public struct DriverInformation: Hashable, Sendable {
    public var name: String
    public var version: String
    public var firmware: String
    public var bus: String

    /// Asks about an interface of the calling thread's network namespace.
    ///
    /// Throws `EOPNOTSUPP` for one without a driver that tells, such as the loopback, `ENODEV` where there is none.
    public init(interface: String) throws(NetlinkError) {
        do throws(Errno) {
            // Any socket does; this one is there also in a kernel without IP.
            let socket = try NetlinkDoor.open(.generic)
            var answer = ethtool_drvinfo()
            let code = cbpf_driver_information(socket.raw, interface, &answer)
            if code < 0 { throw Errno(rawValue: -code) }
            name = Self.text(of: answer.driver)
            version = Self.text(of: answer.version)
            firmware = Self.text(of: answer.fw_version)
            bus = Self.text(of: answer.bus_info)
        } catch {
            throw NetlinkError(
                operation: "ask for the driver", subject: "interface \(interface)", errno: error)
        }
    }

    /// A field of fixed size; drivers that have nothing to say write "N/A".
    private static func text<Field>(of field: Field) -> String {
        let text = withUnsafeBytes(of: field) { Array($0)[...].terminatedString }
        return text == "N/A" ? "" : text
    }
}
