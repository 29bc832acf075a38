// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

extension NetworkNamespace {
    /// A name in `/run/netns`, and what it stands for.
    public struct Entry: Hashable, Sendable {
        /// The name.
        public let name: String
        /// The file.
        public let path: String
        /// The namespace; nil for a name that has lost its namespace (a mount that is gone).
        public let identity: Identity?
    }

    /// The namespaces that have names, sorted by name.
    ///
    /// A name in both `/run/netns` and `/var/run/netns` is listed once. No directory, no names. Throws what
    /// opendir(3) says otherwise.
    public static func list() throws(NetlinkError) -> [Entry] {
        var entries: [String: Entry] = [:]
        for directory in directories {
            for name in try names(in: directory) where entries[name] == nil {
                let path = "\(directory)/\(name)"
                entries[name] = Entry(name: name, path: path, identity: try? identity(path: path))
            }
        }
        return entries.values.sorted { $0.name < $1.name }
    }

    private static func identity(path: String) throws(NetlinkError) -> Identity {
        try NetworkNamespace(path: path).identity
    }

    /// Makes a namespace with a name, as `ip netns add` does: a new namespace, bind-mounted on
    /// `/run/netns/NAME`.
    ///
    /// As with iproute2, `/run/netns` becomes a shared mount, so that the name is seen, and can be deleted,
    /// in other mount namespaces. The calling thread stays where it is. Throws `EEXIST` for a name that is
    /// taken, `EPERM` without `CAP_SYS_ADMIN`, and what mkdir(2), unshare(2) and mount(2) say.
    public static func create(name: String) throws(NetlinkError) -> NetworkNamespace {
        let operation = "create the network namespace"
        let subject = "network namespace \(name)"
        try check(name: name, operation: operation)
        let path = defaultPath(of: name)
        do throws(Errno) {
            try makeDirectoryShared()
            let file = Descriptor(
                adopting: try systemCall { open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0) })
            _ = consume file
            do throws(Errno) {
                try inNewNamespace { () throws(Errno) in
                    _ = try systemCall { mount(currentPath, path, "none", UInt(MS_BIND), nil) }
                }
            } catch {
                _ = unlink(path)
                throw error
            }
        } catch {
            throw NetlinkError(operation: operation, subject: subject, errno: error)
        }
        return try NetworkNamespace(path: path, subject: subject)
    }

    /// Takes a namespace's name away, as `ip netns delete` does.
    ///
    /// The namespace itself lives on as long as a process, a socket or an open descriptor is in it. Throws
    /// `ENOENT` for a name that is not there, `EPERM` without `CAP_SYS_ADMIN`.
    public static func delete(name: String) throws(NetlinkError) {
        let operation = "delete the network namespace"
        try check(name: name, operation: operation)
        let path = existingPath(of: name) ?? defaultPath(of: name)
        // A name that lost its mount is no mount point; the file is still to be removed.
        _ = umount2(path, CInt(MNT_DETACH))
        do throws(Errno) {
            _ = try systemCall { unlink(path) }
        } catch {
            throw NetlinkError(operation: operation, subject: "network namespace \(name)", errno: error)
        }
    }

    /// Makes a namespace without a name, which ends with this value and the last socket in it. For tests and
    /// labs.
    ///
    /// Its only interface is the loopback, which is down. Throws `EPERM` without `CAP_SYS_ADMIN`.
    public static func makePrivate() throws(NetlinkError) -> NetworkNamespace {
        let operation = "create a private network namespace"
        let subject = "private network namespace"
        let slot = UnsafeMutablePointer<Result<NetworkNamespace, NetlinkError>>.allocate(capacity: 1)
        defer { slot.deallocate() }
        do throws(Errno) {
            try inNewNamespace { () throws(Errno) in
                do throws(NetlinkError) {
                    slot.initialize(to: .success(try NetworkNamespace(path: currentPath, subject: subject)))
                } catch {
                    slot.initialize(to: .failure(error))
                }
            }
        } catch {
            throw NetlinkError(operation: operation, subject: subject, errno: error)
        }
        return try slot.move().get()
    }

    /// Runs `body` on a thread of its own in a new namespace.
    private static func inNewNamespace(_ body: () throws(Errno) -> Void) throws(Errno) {
        var refusal: Errno?
        try DedicatedThread.run {
            do throws(Errno) {
                _ = try systemCall { unshare(CInt(CBPF_CLONE_NEWNET)) }
                try body()
            } catch {
                refusal = error
            }
        }
        if let refusal { throw refusal }
    }

    /// Makes `/run/netns`, and makes it a shared mount, as `ip netns add` does; under its lock, since two at
    /// once would mount it twice.
    private static func makeDirectoryShared() throws(Errno) {
        let directory = directories[0]
        if mkdir(directory, 0o755) != 0, errno != EEXIST { throw Errno(rawValue: errno) }
        let lock = Descriptor(
            adopting: try systemCall { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        _ = try systemCall { flock(lock.raw, LOCK_EX) }
        let shared = UInt(MS_SHARED) | UInt(MS_REC)
        if mount("", directory, "none", shared, nil) == 0 { return }
        // EINVAL: not a mount point yet, so it is bound to itself first.
        guard errno == EINVAL else { throw Errno(rawValue: errno) }
        _ = try systemCall { mount(directory, directory, "none", UInt(MS_BIND) | UInt(MS_REC), nil) }
        _ = try systemCall { mount("", directory, "none", shared, nil) }
    }

    private static func names(in directory: String) throws(NetlinkError) -> [String] {
        guard let stream = opendir(directory) else {
            let error = Errno(rawValue: errno)
            if error == .noSuchFileOrDirectory { return [] }
            throw NetlinkError(operation: "list the network namespaces", subject: directory, errno: error)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
