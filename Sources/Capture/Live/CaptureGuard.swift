// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import Glibc
import Synchronization
import SystemPackage
import XDP

/// Keeps the word of a capture's guard (``TapGuard``) as long as this process lives, and not longer, whatever ends it.
///
/// The word is that of a robust futex (Documentation/locking/robust-futexes.rst of Linux): a thread registers a list of
/// words with the kernel, and when the thread ends (by itself, by a signal, by exit or exec of the process) the kernel goes
/// through the list and replaces the thread's id in each word by a mark. glibc registers such a list for every thread, for
/// mutexes; so it is a thread of its own that does nothing but hold this one and wait.
///
/// | Offset | What the kernel reads (`struct robust_list_head`, linux/futex.h) |
/// |---|---|
/// | 0 | the first entry; the last one points here |
/// | 8 | what has to be added to an entry's address to get its word's |
/// | 16 | an entry that is being taken or given back: none |
/// | 24 | the entry: what follows it |
package final class CaptureGuard: Sendable {
    private let hold: Hold
    private let isOver = Atomic(false)

    /// What the thread works with.
    private final class Hold: @unchecked Sendable {
        let page: MappedValue
        let list: UnsafeMutableRawPointer
        /// eventfd(2) each.
        let started: Descriptor
        let ended: Descriptor
        var thread = pthread_t()
        let failure = Atomic<Int32>(0)

        static let listSize = 24
        static let entry = 24

        init(_ page: MappedValue) throws(Errno) {
            self.page = page
            started = try Self.event()
            ended = try Self.event()
            list = .allocate(byteCount: 32, alignment: 8)
            let entry = list + Self.entry
            list.storeBytes(of: UInt(bitPattern: entry), as: UInt.self)
            list.storeBytes(of: page.memory + CapturePage.guardWord - entry, toByteOffset: 8, as: Int.self)
            list.storeBytes(of: 0, toByteOffset: 16, as: UInt.self)
            entry.storeBytes(of: UInt(bitPattern: list), as: UInt.self)
        }

        deinit { list.deallocate() }

        private static func event() throws(Errno) -> Descriptor {
            let number = cbpf_event()
            guard number >= 0 else { throw Errno(rawValue: -number) }
            return Descriptor(owning: number)
        }

        static func signal(_ event: borrowing Descriptor) {
            var one: UInt64 = 1
            _ = write(event.rawValue, &one, 8)
        }

        static func wait(for event: borrowing Descriptor) {
            var count: UInt64 = 0
            while read(event.rawValue, &count, 8) < 0, errno == EINTR {}
        }

        private var word: UnsafePointer<Atomic<UInt32>> {
            UnsafePointer((page.memory + CapturePage.guardWord).assumingMemoryBound(to: Atomic<UInt32>.self))
        }

        /// The thread's life.
        func run() {
            failure.store(-cbpf_set_robust_list(list, Self.listSize), ordering: .relaxed)
            let isKept = failure.load(ordering: .relaxed) == 0
            if isKept { word.pointee.store(UInt32(cbpf_thread_id()), ordering: .sequentiallyConsistent) }
            Self.signal(started)
            if isKept { Self.wait(for: ended) }
            word.pointee.store(0, ordering: .sequentiallyConsistent)
            // An empty list: the memory goes before the thread may.
            list.storeBytes(of: UInt(bitPattern: list), as: UInt.self)
        }
    }

    /// Sets the word.
    package init(_ page: MappedValue) throws(XDPError) {
        let what = "The capture cannot be guarded against the end of its process"
        do throws(Errno) {
            hold = try Hold(page)
            let code = Self.start(hold)
            if code != 0 {
                // There is no thread to wait for.
                isOver.store(true, ordering: .relaxed)
                throw Errno(rawValue: code)
            }
        } catch {
            throw XDPError(.failed, what, because: "\(error.description) [\(error.name)]")
        }
        Hold.wait(for: hold.started)
        let failure = hold.failure.load(ordering: .relaxed)
        guard failure == 0 else {
            end()
            let error = Errno(rawValue: failure)
            throw XDPError(
                .failed, what, because: "set_robust_list(2): \(error.description) [\(error.name)]",
                remedy: "It needs a kernel with futexes (CONFIG_FUTEX), and a sandbox that allows the call")
        }
    }

    deinit { end() }

    /// Clears the word. Doing it again is no error.
    package func end() {
        guard !isOver.exchange(true, ordering: .sequentiallyConsistent) else { return }
        Hold.signal(hold.ended)
        pthread_join(hold.thread, nil)
    }

    private static func start(_ hold: Hold) -> CInt {
        // Signals are for other threads.
        var all = sigset_t()
        var former = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &former)
        defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
        let argument = Unmanaged.passRetained(hold)
        let code = pthread_create(
            &hold.thread, nil,
            { argument in
                if let argument { Unmanaged<Hold>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        if code != 0 { argument.release() }
        return code
    }
}
