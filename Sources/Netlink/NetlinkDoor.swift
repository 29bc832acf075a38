// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Synchronization
import SystemPackage

/// The one place that opens netlink sockets, and through which every request passes.
///
/// A test can stand in the door with ``withObserver(_:_:)``: it sees what passes and may refuse it with an
/// error number, as the kernel would. An observer sees its own thread only, and the threads that
/// ``NetworkNamespace/run(_:)-(()->T)`` makes on its behalf, so tests in parallel do not meet. Without any
/// observer the door costs one relaxed load.
public enum NetlinkDoor {
    /// What passes through the door.
    public enum Passage: Sendable {
        /// A socket is about to be opened.
        case open(NetlinkFamily)
        /// A request is about to be sent; the bytes are the whole message, header included.
        case request(NetlinkFamily, operation: String, subject: String, message: [UInt8])
    }

    /// Sees a passage; what it returns is thrown in place of letting it pass.
    public typealias Observer = @Sendable (Passage) -> Errno?

    private static let count = Atomic<Int>(0)
    private static let observers = Mutex<[pthread_t: Observer]>([:])

    /// Runs `body` with an observer in the door for everything the calling thread sends meanwhile.
    ///
    /// - Parameter observer: called on the sending thread; replaces an outer observer until `body` returns.
    public static func withObserver<T: ~Copyable, Failure: Error>(
        _ observer: @escaping Observer, _ body: () throws(Failure) -> T
    ) throws(Failure) -> T {
        let thread = pthread_self()
        let outer = observers.withLock { $0.updateValue(observer, forKey: thread) }
        count.add(1, ordering: .relaxed)
        defer {
            observers.withLock { $0[thread] = outer }
            count.subtract(1, ordering: .relaxed)
        }
        return try body()
    }

    /// The calling thread's observer, for a thread that works on its behalf.
    static var observer: Observer? {
        guard count.load(ordering: .relaxed) > 0 else { return nil }
        return observers.withLock { $0[pthread_self()] }
    }

    /// Opens a socket in the calling thread's network namespace; close-on-exec, nothing else set.
    static func open(_ family: NetlinkFamily) throws(Errno) -> Descriptor {
        if let refusal = observer?(.open(family)) { throw refusal }
        let type = CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        return Descriptor(
            adopting: try systemCall { socket(AF_NETLINK, type, family.number) })
    }
}
