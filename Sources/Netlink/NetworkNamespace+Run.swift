// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// An error type that can say that a network namespace could not be entered.
///
/// With it ``NetworkNamespace/run(_:)-(()->T)`` throws the closure's own error type and nothing else.
public protocol NamespaceEntryFailure: Error {
    /// The error for a namespace that could not be entered.
    init(namespaceEntry error: NetlinkError)
}

extension NetlinkError: NamespaceEntryFailure {
    /// The error itself.
    public init(namespaceEntry error: NetlinkError) {
        self = error
    }
}

extension NetworkNamespace {
    /// Runs `body` inside the namespace, on a thread of its own, and waits for it.
    ///
    /// The calling thread never leaves its own namespace. Sockets opened inside belong to the namespace for
    /// good and can be returned. A thread costs some tens of microseconds.
    ///
    /// Throws what `body` throws; what setns(2) or pthread_create(3) say, as `Failure(namespaceEntry:)`.
    public borrowing func run<T: ~Copyable & Sendable, Failure: NamespaceEntryFailure>(
        _ body: @Sendable () throws(Failure) -> T
    ) throws(Failure) -> T {
        let result: Result<T, Failure>
        do throws(NetlinkError) {
            result = try self.result(of: body)
        } catch {
            throw Failure(namespaceEntry: error)
        }
        return try result.get()
    }

    /// Runs `body` inside the namespace, on a thread of its own, and waits for it.
    ///
    /// As the other `run`, for errors of any type: throws what `body` throws, or ``NetlinkError`` when the
    /// namespace cannot be entered.
    public borrowing func run<T: ~Copyable & Sendable>(_ body: @Sendable () throws -> T) throws -> T {
        try result(of: body).get()
    }

    /// Runs `body` inside the namespace, on a thread of its own, and gives its result or its error as a
    /// value.
    ///
    /// Throws when the namespace cannot be entered, and only then.
    public borrowing func result<T: ~Copyable & Sendable, Failure: Error>(
        of body: @Sendable () throws(Failure) -> T
    ) throws(NetlinkError) -> Result<T, Failure> {
        let namespace = descriptor.raw
        let slot = UnsafeMutablePointer<Result<T, Failure>>.allocate(capacity: 1)
        defer { slot.deallocate() }
        var refusal: Errno?
        do throws(Errno) {
            try DedicatedThread.run {
                do throws(Errno) {
                    try Self.enter(namespace)
                } catch {
                    refusal = error
                    return
                }
                do throws(Failure) {
                    slot.initialize(to: .success(try body()))
                } catch {
                    slot.initialize(to: .failure(error))
                }
            }
        } catch {
            refusal = error
        }
        if let refusal { throw entryError(refusal) }
        return slot.move()
    }
}
