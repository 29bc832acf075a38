// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// What drivers count by names of their own (`ethtool -S`), in one network namespace. Only ioctl(2) gives it.
///
/// The kernel writes as many names and values as the driver has by then, whatever room it was told of (until Linux
/// 6.19). So it writes into memory that ends in a page which nobody may touch: a driver with more counters than fit fails
/// with `EFAULT`, and nothing else is overwritten.
///
/// | Command (linux/ethtool.h) | Written |
/// |---|---|
/// | `ETHTOOL_GSSET_INFO` | 8 bytes, then 8 of a mask, then 4: how many |
/// | `ETHTOOL_GSTRINGS` | 12 bytes, then 32 for each name |
/// | `ETHTOOL_GSTATS` | 8 bytes, then 8 for each value |
public struct DriverCounters: ~Copyable, Sendable {
    private let socket: Descriptor
    private let memory: GuardedMemory

    /// Counters of one interface that are read; one card with 1024 queues has some 20,000.
    static let most = 65_536
    /// `ETH_GSTRING_LEN`
    private static let nameSize = 32
    /// `ETH_SS_STATS`
    private static let stringSet: UInt32 = 1

    /// Opens a socket in the calling thread's network namespace.
    public init() throws(NetlinkError) {
        do throws(Errno) {
            // Any socket does; this one is there also in a kernel without IP.
            self = DriverCounters(
                socket: try NetlinkDoor.open(.generic),
                memory: try GuardedMemory(byteCount: 16 + Self.most * Self.nameSize))
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
        let count = try count(of: interface)
        guard count > 0 else { return [] }
        memory.clear(16)
        memory.store(UInt32(ETHTOOL_GSTRINGS), at: 0)
        memory.store(Self.stringSet, at: 4)
        memory.store(UInt32(count), at: 8)
        guard try issue("read the names of what the driver counts", interface) else { return [] }
        let written = min(Int(memory.load(UInt32.self, at: 8)), Self.most)
        return (0..<written).map { place in
            memory.bytes(at: 12 + place * Self.nameSize, count: Self.nameSize)[...].terminatedString
        }
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
        guard Int(memory.load(UInt32.self, at: 4)) == count, count <= Self.most else { return nil }
        return (0..<count).map { memory.load(UInt64.self, at: 8 + $0 * 8) }
    }

    private borrowing func count(of interface: String) throws(NetlinkError) -> Int {
        memory.clear(24)
        memory.store(UInt32(ETHTOOL_GSSET_INFO), at: 0)
        memory.store(UInt64(1) << UInt64(Self.stringSet), at: 8)
        guard try issue("ask how much the driver counts", interface) else { return 0 }
        // A driver without counters takes its bit out of the mask.
        guard memory.load(UInt64.self, at: 8) != 0 else { return 0 }
        return min(Int(memory.load(UInt32.self, at: 16)), Self.most)
    }

    /// Issues the command in the memory; false where the driver has no answer.
    private borrowing func issue(_ operation: String, _ interface: String) throws(NetlinkError) -> Bool {
        let code = cbpf_ethtool(socket.raw, interface, memory.start)
        if code == 0 { return true }
        let error = Errno(rawValue: -code)
        if error == .notSupportedOnSocket || error == .invalidArgument { return false }
        throw NetlinkError(operation: operation, subject: "interface \(interface)", errno: error)
    }
}

/// Memory that the kernel may fill beyond what was expected, with a page behind it that nobody may touch. Pages that were
/// never written cost nothing.
final class GuardedMemory: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    private let size: Int
    private let page: Int

    init(byteCount: Int) throws(Errno) {
        page = Int(sysconf(Int32(_SC_PAGESIZE)))
        size = (byteCount + page - 1) / page * page
        guard
            let memory = mmap(
                nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            memory != MAP_FAILED
        else { throw Errno(rawValue: errno) }
        start = memory
        guard mprotect(start + size, page, PROT_NONE) == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { munmap(start, size + page) }

    func clear(_ count: Int) { memset(start, 0, min(count, size)) }

    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        start.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    func load<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type, at offset: Int) -> Value {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= size else { return 0 }
        return start.loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    func bytes(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, offset + count <= size else { return [] }
        return Array(UnsafeRawBufferPointer(start: start + offset, count: count))
    }
}
