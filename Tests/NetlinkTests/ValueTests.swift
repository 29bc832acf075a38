// SPDX-License-Identifier: Apache-2.0
import Netlink
import SystemPackage
import Testing

@Suite("Addresses and errors")
struct ValueTests {
    @Test(
        "a hardware address reads back as it was written",
        arguments: ["02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:11:22:33:44:55:66:77"])
    func hardwareAddress(_ text: String) {
        #expect(HardwareAddress(parsing: text)?.description == text)
    }

    @Test(
        "what is no hardware address is refused",
        arguments: ["", "02", "2:0:0:0:0:1", "02:00:00:00:00:0g", "02:00:00:00:00:01:", "+2:00:00:00:00:01"])
    func badHardwareAddress(_ text: String) {
        #expect(HardwareAddress(parsing: text)?.bytes.count != 6)
    }

    @Test(
        "an IP address reads back as it was written",
        arguments: [("192.0.2.1", 4), ("2001:db8::1", 16), ("::", 16), ("::ffff:192.0.2.1", 16)])
    func address(_ text: String, _ size: Int) {
        let address = IPAddress(parsing: text)

        #expect(address?.description == text)
        #expect(address?.bytes.count == size)
        #expect(address?.isIPv6 == (size == 16))
    }

    @Test(
        "what is no IP address is refused", arguments: ["", "1.2.3", "1.2.3.256", ":::", "host", "1.2.3.4/8"])
    func badAddress(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test("an address has four or sixteen bytes", arguments: 0..<20)
    func size(_ count: Int) {
        let address = IPAddress(bytes: [UInt8](repeating: 1, count: count))

        #expect((address != nil) == (count == 4 || count == 16))
    }

    @Test("an error is one line: what, of what, why, and the kernel's words")
    func error() {
        let error = NetlinkError(
            operation: "attach the program in native mode", subject: "interface eth0 (index 4)",
            errno: .resourceBusy, kernelMessage: "XDP program\nalready attached")

        #expect(
            error.description == """
                cannot attach the program in native mode: interface eth0 (index 4): \
                Device or resource busy: XDP program already attached
                """)
    }
}

@Suite("The door")
struct NetlinkDoorTests {
    @Test("an inner observer stands in for the outer one, and only as long as it is there")
    func nesting() {
        let inner = NetlinkDoor.withObserver({ _ in .ioError }) {
            NetlinkDoor.withObserver({ _ in .noMemory }) { opening() }
        }
        let outer = NetlinkDoor.withObserver({ _ in .ioError }) {
            NetlinkDoor.withObserver({ _ in .noMemory }) {}
            return opening()
        }

        #expect(inner == .noMemory && outer == .ioError)
        #expect(opening() == nil)
    }

    private func opening() -> Errno? {
        do throws(NetlinkError) {
            _ = try NetlinkSocket(.route)
            return nil
        } catch {
            return error.errno
        }
    }
}
