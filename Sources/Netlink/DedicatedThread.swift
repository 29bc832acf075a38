// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A thread for what must not happen to the caller's: changing the network namespace.
enum DedicatedThread {
    private final class Work {
        let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    /// Runs `body` on a thread of its own, and waits for its end. Throws what pthread_create(3) returns.
    ///
    /// The thread works on behalf of the caller: it has the caller's observer in the ``NetlinkDoor``.
    static func run(_ body: () -> Void) throws(Errno) {
        let observer = NetlinkDoor.observer
        let code = withoutActuallyEscaping(body) { body in
            let work = Work {
                if let observer {
                    NetlinkDoor.withObserver(observer, body)
                } else {
                    body()
                }
            }
            return start(work)
        }
        if code != 0 { throw Errno(rawValue: code) }
    }

    private static func start(_ work: Work) -> CInt {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument {
                    Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
                }
                return nil
            }, Unmanaged.passUnretained(work).toOpaque())
        if code == 0 { pthread_join(thread, nil) }
        return withExtendedLifetime(work) { code }
    }
}
