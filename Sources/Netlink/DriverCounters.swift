// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// What drivers count by names of their own (`ethtool -S`), in one network namespace. Only ioctl(2) gives it.
///
/// The kernel writes as many names and values as the driver has by then, whatever room it was told of (until Linux
/// 6.19; later it writes none where the room is not as much). So it writes into memory that ends in a page which nobody may
/// touch: a driver with more counters than fit fails with `EFAULT`, and nothing else is overwritten. What it wrote is read by
/// ``DriverCounterAnswer``.
public struct DriverCounters: ~Copyable, Sendable {
    private let socket: Descriptor
    private let memory: GuardedMemory

    /// Counters of one interface that are read; one card with 1024 queues has some 20,000. Of a driver with more none are.
    static let most = 65_536
    /// `ETH_SS_STATS`
    private static let stringSet: UInt32 = 1

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(NetlinkError) {
        do throws(Errno) {
            // Any socket does; this one is there also in a kernel without IP.
            self = DriverCounters(
                socket: try NetlinkDoor.open(.generic),
                memory: try GuardedMemory(byteCount: DriverCounterAnswer.size(for: Self.most)))
        } catch {
            throw NetlinkError(
                operation: "open a socket for ethtool", subject: "generic netlink", errno: error)
        }
    }

    private init(socket: consuming Descriptor, memory: GuardedMemory) {
        self.socket = socket
        self.memory = memory
    }

    /// The name of the driver; nil where it does not tell.
    public borrowing func driver(of interface: String) -> String? {
        var answer = ethtool_drvinfo()
        guard cbpf_driver_information(socket.raw, interface, &answer) == 0 else { return nil }
        let name = withUnsafeBytes(of: answer.driver) { Array($0)[...].terminatedString }
        return name.isEmpty || name == "N/A" ? nil : name
    }

    /// The names of what the driver counts, in its order; empty where it counts nothing.
    ///
    /// Throws `ENODEV` where there is no interface of that name.
    public borrowing func names(of interface: String) throws(NetlinkError) -> [String] {
        // A driver may have more, or less, from one question to the next.
        for _ in 0..<3 {
            let count = try count(of: interface)
            guard (1...Self.most).contains(count) else { return [] }
            memory.clear(12)
            memory.store(UInt32(ETHTOOL_GSTRINGS), at: 0)
            memory.store(Self.stringSet, at: 4)
            memory.store(UInt32(count), at: 8)
            guard try issue("read the names of what the driver counts", interface) else { continue }
            if let names = memory.answer.names, !names.isEmpty { return names }
        }
        return []
    }

    /// The values, in the order of ``names(of:)``; nil if the driver counts another number of things by now: then the
    /// names have to be read again.
    ///
    /// - Parameter count: of the names.
    public borrowing func values(of interface: String, count: Int) throws(NetlinkError) -> [UInt64]? {
        guard count > 0 else { return [] }
        memory.clear(8)
        memory.store(UInt32(ETHTOOL_GSTATS), at: 0)
        memory.store(UInt32(clamping: count), at: 4)
        guard try issue("read what the driver counts", interface) else { return nil }
        return memory.answer.values(count: count)
    }

    private borrowing func count(of interface: String) throws(NetlinkError) -> Int {
        memory.clear(24)
        memory.store(UInt32(ETHTOOL_GSSET_INFO), at: 0)
        memory.store(UInt64(1) << UInt64(Self.stringSet), at: 8)
        guard try issue("ask how much the driver counts", interface) else { return 0 }
        return memory.answer.count
    }

    /// Issues the command in the memory; false where there is no answer: the driver has none, or one that is longer than the
    /// memory.
    private borrowing func issue(_ operation: String, _ interface: String) throws(NetlinkError) -> Bool {
        let code = cbpf_ethtool(socket.raw, interface, memory.start)
        if code == 0 { return true }
        let error = Errno(rawValue: -code)
        if [.notSupportedOnSocket, .invalidArgument, .badAddress].contains(error) { return false }
        throw NetlinkError(operation: operation, subject: "interface \(interface)", errno: error)
    }
}
