// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import SystemPackage
import Testing

/// Network namespaces of the real kernel. Needs root.
@Suite("Network namespaces on the kernel")
struct NetworkNamespaceTests {
    @Test("work inside a namespace does not take the caller along")
    func runDoesNotLeak() throws {
        let before = try NetworkNamespace.current().identity
        let namespace = try NetworkNamespace.makePrivate()

        let inside = try namespace.run { () throws(NetlinkError) in try NetworkNamespace.current().identity }
        let threads = try namespace.run { (gettid: threadID(), caller: 0) }

        #expect(inside == namespace.identity)
        #expect(inside != before)
        #expect(threads.gettid != threadID())
        #expect(try NetworkNamespace.current().identity == before)
    }

    @Test("an error thrown inside a namespace arrives as it was, and the caller stays outside")
    func runThrows() throws {
        struct Mine: Error, Equatable {}
        let before = try NetworkNamespace.current().identity
        let namespace = try NetworkNamespace.makePrivate()

        #expect(throws: Mine()) { try namespace.throwing(Mine()) }
        let typed = try namespace.result { () throws(Mine) -> Int in throw Mine() }

        #expect(typed == .failure(Mine()))
        #expect(try NetworkNamespace.current().identity == before)
    }

    @Test("namespaces nest, and each level returns to its own")
    func nested() throws {
        let outer = try NetworkNamespace.makePrivate()

        let seen = try outer.run {
            let inner = try NetworkNamespace.makePrivate()
            let inside = try inner.run { try NetworkNamespace.current().identity }
            return [inner.identity == inside, try NetworkNamespace.current().identity != inside]
        }

        #expect(seen == [true, true])
    }

    @Test("two private namespaces differ")
    func distinct() throws {
        let first = try NetworkNamespace.makePrivate()
        let second = try NetworkNamespace.makePrivate()

        #expect(first.identity != second.identity)
    }

    @Test("a named namespace can be found by name, path and list, and is gone after deletion")
    func named() throws {
        let name = "swift-xdp-test-\(getpid())-named"
        let created = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }

        let taken = failure { () throws(NetlinkError) in _ = try NetworkNamespace.create(name: name) }
        let byName = try NetworkNamespace(name: name).identity
        let byPath = try NetworkNamespace(path: "/run/netns/\(name)").identity
        let parsedName = try NetworkNamespace(parsing: name).identity
        let parsedPath = try NetworkNamespace(parsing: "/var/run/netns/\(name)").identity
        let listed = try NetworkNamespace.list().filter { $0.name == name }
        try NetworkNamespace.delete(name: name)

        #expect(taken?.errno == .fileExists)
        #expect([byName, byPath, parsedName, parsedPath].allSatisfy { $0 == created.identity })
        #expect(listed.map(\.identity) == [created.identity])
        #expect(try !NetworkNamespace.list().contains { $0.name == name })
        #expect(failure { () throws(NetlinkError) in _ = try NetworkNamespace(name: name) } != nil)
        var route = try RouteSocket(in: created)
        #expect(try route.links().map(\.name) == ["lo"])
    }

    @Test("a name of digits wins over a process id")
    func digits() throws {
        let name = "\(getpid())"
        let byProcess = try NetworkNamespace(parsing: name).identity
        let created = try NetworkNamespace.create(name: name)
        defer { try? NetworkNamespace.delete(name: name) }

        #expect(try NetworkNamespace(parsing: name).identity == created.identity)
        #expect(byProcess != created.identity)
    }

    @Test("a process id stands for the namespace of that process")
    func processID() throws {
        let mine = try NetworkNamespace(processID: getpid()).identity

        #expect(try NetworkNamespace(parsing: "\(getpid())").identity == mine)
        #expect(try NetworkNamespace(path: "/proc/self/ns/net").identity == mine)
    }

    @Test(
        "what is no network namespace is refused with a reason",
        arguments: [
            ("no-such-name", Errno.noSuchFileOrDirectory), ("", .invalidArgument), (".", .invalidArgument),
            ("..", .invalidArgument), ("/etc/passwd", .invalidArgument),
            ("/proc/self/ns/mnt", .invalidArgument), ("/no/such/path", .noSuchFileOrDirectory),
            ("2147483647", .noSuchFileOrDirectory), ("99999999999", .noSuchFileOrDirectory),
            ("-1", .noSuchFileOrDirectory), ("lo\0", .invalidArgument),
        ])
    func refused(_ text: String, _ errno: Errno) {
        let error = failure { () throws(NetlinkError) in _ = try NetworkNamespace(parsing: text) }

        #expect(error?.errno == errno)
    }

    @Test("a name that is a path is neither created nor deleted", arguments: ["../escape", "a/b", "", ".."])
    func pathAsName(_ name: String) {
        let created = failure { () throws(NetlinkError) in _ = try NetworkNamespace.create(name: name) }
        let deleted = failure { () throws(NetlinkError) in try NetworkNamespace.delete(name: name) }

        #expect(created?.errno == .invalidArgument && deleted?.errno == .invalidArgument)
    }

    @Test("a thread of one's own can enter for good")
    func enter() throws {
        let before = try NetworkNamespace.makePrivate()
        let after = try NetworkNamespace.makePrivate()
        let target = after.identity

        let moved = try before.run {
            try NetworkNamespace(path: "/proc/thread-self/ns/net").enter()
            let other = try NetworkNamespace.makePrivate()
            try other.enter()
            return try NetworkNamespace.current().identity == other.identity
        }

        #expect(moved)
        #expect(after.identity == target)
    }
}

extension NetworkNamespace {
    /// Throws an error inside; for expressions that must throw.
    borrowing func throwing(_ error: some Error) throws {
        try run { throw error }
    }
}

private func threadID() -> UInt {
    pthread_self()
}
