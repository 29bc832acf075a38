// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// A network namespace, held open: it exists at least as long as this value does.
///
///     let blue = try NetworkNamespace(name: "blue")
///     var route = try RouteSocket(in: blue)
///     let count = try blue.run { try countSomething() }
public struct NetworkNamespace: ~Copyable, Sendable {
    /// What it is called in messages: “network namespace blue”.
    public let subject: String
    /// Which namespace it is, however it was found.
    public let identity: Identity

    let descriptor: Descriptor

    /// What tells one network namespace from every other that exists at the time: its inode on the nsfs.
    public struct Identity: Hashable, Sendable {
        /// The device of the nsfs.
        public let device: UInt64
        /// The inode; the number that `lsns` and `readlink /proc/self/ns/net` show.
        public let inode: UInt64

        /// The identity of what stat(2) says of a file that stands for a namespace.
        public init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
    }

    /// Opens a namespace that has a name, as `ip netns add` gives it: a file in `/run/netns` or
    /// `/var/run/netns`.
    ///
    /// Throws `EINVAL` for what cannot be a name, `ENOENT` for a name that is not there, and otherwise as
    /// ``init(path:)``.
    public init(name: String) throws(NetlinkError) {
        try Self.check(name: name, operation: "open the network namespace")
        let path = Self.existingPath(of: name) ?? Self.defaultPath(of: name)
        try self.init(path: path, subject: "network namespace \(name)")
    }

    /// Opens a namespace by a file that stands for it, such as `/proc/1234/ns/net` or `/run/netns/blue`.
    ///
    /// Throws what open(2) says; `EINVAL` when the file is something else than a network namespace.
    public init(path: String) throws(NetlinkError) {
        try self.init(path: path, subject: "network namespace \(path)")
    }

    /// Opens the namespace that a process (its main thread) is in.
    ///
    /// Throws `ENOENT` when there is no such process, `EACCES` when the caller may not look into it
    /// (`CAP_SYS_PTRACE`).
    public init(processID: Int32) throws(NetlinkError) {
        try self.init(
            path: "/proc/\(processID)/ns/net", subject: "network namespace of process \(processID)")
    }

    /// Opens the namespace that a user means by `text`: a path (anything with a slash), a name, or a process
    /// id.
    ///
    /// A name wins over a process id of the same digits. Throws `EINVAL` for an empty text, `ENOENT` with an
    /// explanation for one that is none of the three, and otherwise as ``init(path:)``.
    public init(parsing text: String) throws(NetlinkError) {
        if text.utf8.contains(UInt8(ascii: "/")) {
            try self.init(path: text)
            return
        }
        try Self.check(name: text, operation: "open the network namespace")
        if Self.existingPath(of: text) != nil {
            try self.init(name: text)
        } else if text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let processID = Int32(text), processID > 0
        {
            try self.init(processID: processID)
        } else {
            throw NetlinkError(
                operation: "open the network namespace", subject: "network namespace \(text)",
                errno: .noSuchFileOrDirectory,
                kernelMessage: "give a name from \(Self.directories[0]), a path with a slash, or a process id"
            )
        }
    }

    /// The namespace that the calling thread is in.
    ///
    /// Throws what open(2) says of `/proc/thread-self/ns/net`.
    public static func current() throws(NetlinkError) -> NetworkNamespace {
        try NetworkNamespace(path: currentPath, subject: "the current network namespace")
    }

    /// The descriptor, for setns(2) and for netlink attributes; valid as long as this value.
    public var fileDescriptor: CInt { descriptor.raw }

    /// Moves the calling thread, and only it, into the namespace, for good.
    ///
    /// For a process with one thread, or a thread of one's own: a thread of Swift's pool would take the
    /// namespace along to whatever it runs next. `run` is for everything else. Throws what
    /// setns(2) says: `EPERM` without `CAP_SYS_ADMIN`.
    public borrowing func enter() throws(NetlinkError) {
        do throws(Errno) {
            try Self.enter(descriptor.raw)
        } catch {
            throw entryError(error)
        }
    }

    /// Brings the namespace's loopback interface up, which is down in a new namespace.
    public borrowing func bringLoopbackUp() throws(NetlinkError) {
        var route = try RouteSocket(in: self)
        try route.setUp(Self.loopbackIndex)
    }

    /// The loopback interface is the first of its namespace, always.
    private static let loopbackIndex: UInt32 = 1

    // MARK: - Opening

    /// Where names are looked for, in this order; the first is where they are made.
    static let directories = ["/run/netns", "/var/run/netns"]
    /// The namespace of the calling thread (the process may have threads in others).
    static let currentPath = "/proc/thread-self/ns/net"

    static func defaultPath(of name: String) -> String {
        "\(directories[0])/\(name)"
    }

    static func existingPath(of name: String) -> String? {
        for directory in directories {
            let path = "\(directory)/\(name)"
            if access(path, F_OK) == 0 { return path }
        }
        return nil
    }

    init(path: String, subject: String) throws(NetlinkError) {
        do throws(Errno) {
            let descriptor = Descriptor(
                adopting: try systemCall { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) })
            guard cbpf_namespace_type(descriptor.raw) == CBPF_CLONE_NEWNET else { throw .invalidArgument }
            identity = try Identity(of: descriptor.raw)
            self.descriptor = descriptor
            self.subject = subject
        } catch {
            throw NetlinkError(
                operation: "open the network namespace", subject: subject, errno: error,
                kernelMessage: error == .invalidArgument ? "this is no network namespace" : nil)
        }
    }

    static func enter(_ descriptor: CInt) throws(Errno) {
        _ = try systemCall { setns(descriptor, CInt(CBPF_CLONE_NEWNET)) }
    }

    func entryError(_ error: Errno) -> NetlinkError {
        NetlinkError(operation: "enter the network namespace", subject: subject, errno: error)
    }

    /// A name is one component of a path: no slash, no NUL, not `.` or `..`, 1 to 255 bytes.
    static func check(name: String, operation: String) throws(NetlinkError) {
        let bytes = name.utf8
        guard !bytes.isEmpty, bytes.count <= 255, name != ".", name != "..",
            !bytes.contains(UInt8(ascii: "/")), !bytes.contains(0)
        else {
            throw NetlinkError(
                operation: operation, subject: "network namespace “\(name)”", errno: .invalidArgument,
                kernelMessage: "a name is a file name of 1 to 255 bytes without a slash")
        }
    }
}

extension NetworkNamespace.Identity {
    /// The identity of the namespace that a descriptor stands for.
    init(of descriptor: CInt) throws(Errno) {
        var status = stat()
        _ = try systemCall { fstat(descriptor, &status) }
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

extension NetworkNamespace.Identity: CustomStringConvertible {
    /// As the kernel writes it: `net:[4026531840]`.
    public var description: String { "net:[\(inode)]" }
}
