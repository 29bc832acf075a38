// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Synchronization
import SystemPackage
import Testing

/// Lists that are read while others change them, on the real kernel. Needs root.
@Suite("Lists of rtnetlink under change on the kernel")
struct NetlinkConsistencyTests {
    @Test("a list that changes while it is read is asked for again, and has every interface once")
    func changingList() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        for number in 0..<150 {
            try route.createVeth("near\(number)", peer: "far\(number)")
        }
        let start = ContinuousClock.now
        let stable = try Set(route.links().map(\.name))
        // A slow machine takes longer for a list than a fast one waits between two changes.
        let pause = max(.milliseconds(10), (ContinuousClock.now - start) * 2)
        let churn = Churn(try RouteSocket(in: namespace), pause: pause)
        let thread = try churn.start()
        let requests = Atomic<Int>(0)
        let deadline = ContinuousClock.now + .seconds(20)

        var lists = 0
        var isInterrupted = false
        while !isInterrupted, ContinuousClock.now < deadline {
            requests.store(0, ordering: .relaxed)
            let links = try NetlinkDoor.withObserver({ _ in
                requests.add(1, ordering: .relaxed)
                return nil
            }) { try untilItRests(&route) }
            lists += 1
            isInterrupted = requests.load(ordering: .relaxed) > 1
            #expect(stable.isSubset(of: links.map(\.name)))
            #expect(Set(links.map(\.index)).count == links.count)
        }
        churn.stop()
        pthread_join(thread, nil)

        #expect(isInterrupted, "none of \(lists) lists was interrupted")
    }

    /// The list; one that never came to rest is an error that says so, and worth another try here.
    private func untilItRests(_ route: inout RouteSocket) throws -> [Link] {
        while true {
            do throws(NetlinkError) {
                return try route.links()
            } catch {
                guard error.errno == .interrupted else { throw error }
            }
        }
    }
}

/// Creates interfaces until it is told to stop, with pauses in which a list can come to rest.
private final class Churn: Sendable {
    private let route: Mutex<RouteSocket>
    private let isDone = Atomic<Bool>(false)
    private let pause: Duration

    init(_ route: consuming sending RouteSocket, pause: Duration) {
        self.route = Mutex(route)
        self.pause = pause
    }

    /// Begins on a thread of its own, since other tests keep the pool's busy.
    func start() throws(Errno) -> pthread_t {
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Churn>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        if code != 0 { throw Errno(rawValue: code) }
        return thread
    }

    func stop() {
        isDone.store(true, ordering: .relaxed)
    }

    private func run() {
        for number in 0..<2000 where !isDone.load(ordering: .relaxed) {
            route.withLock { _ = try? $0.createVeth("churn\(number)", peer: "churned\(number)") }
            usleep(UInt32(pause / .microseconds(1)))
        }
    }
}
