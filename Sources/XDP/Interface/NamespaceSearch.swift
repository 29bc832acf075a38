// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink

/// A network namespace that was found on this machine, and how to get into it.
public struct FoundNamespace: Sendable, Hashable {
    public let identity: NetworkNamespace.Identity
    /// A file that stands for it.
    public var path: String
    /// The name in `/run/netns`.
    public var name: String?
    /// The first process in it.
    public var processID: Int32?
    /// Whether the calling thread was in it.
    public var isCurrent = false

    /// What `--netns` takes for it. A name of digits would be taken before the process of that number.
    public var reference: String {
        if let name { return name }
        guard let processID, access("/run/netns/\(processID)", F_OK) != 0 else { return path }
        return "\(processID)"
    }

    /// Runs `body` inside, on a thread of its own; nil if the namespace has gone.
    public func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable () throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard let namespace = try? NetworkNamespace(path: path), namespace.identity == identity,
            let result = try? namespace.result(of: body)
        else { return nil }
        return try result.get()
    }

    /// What the process in it is called.
    public var command: String? { processID.map { ProcessTable.command(of: $0) } }
}

/// Finds network namespaces: the current one, those with names, those that are mounted elsewhere, and those of
/// processes. (One that is held by a descriptor or a socket alone cannot be found.)
public struct NamespaceSearch: Sendable {
    /// The current one, then those with names, those with paths, those of processes; each once.
    public private(set) var found: [FoundNamespace] = []
    /// Processes that this one may not look into.
    public private(set) var hiddenProcesses = 0

    public init() throws(NetlinkError) {
        let current = try NetworkNamespace.current().identity
        found.append(
            FoundNamespace(identity: current, path: "/proc/self/ns/net", isCurrent: true))
        for entry in try NetworkNamespace.list() {
            guard let identity = entry.identity else { continue }
            take(identity) {
                $0.path = entry.path
                $0.name = entry.name
            }
        }
        for mount in Mount.all(of: "self") where mount.fileSystem == "nsfs" && mount.root.hasPrefix("net:[") {
            guard let identity = try? NetworkNamespace(path: mount.path).identity else { continue }
            take(identity) { $0.path = mount.path }
        }
        takeProcesses()
    }

    /// Adds what was found, or a way to what was found before without one.
    private mutating func take(
        _ identity: NetworkNamespace.Identity, _ describe: (inout FoundNamespace) -> Void
    ) {
        guard let place = found.firstIndex(where: { $0.identity == identity }) else {
            var new = FoundNamespace(identity: identity, path: "")
            describe(&new)
            found.append(new)
            return
        }
        // The first name, else the first path stays.
        if found[place].name == nil, found[place].isCurrent, found[place].path == "/proc/self/ns/net" {
            describe(&found[place])
        }
    }

    private mutating func takeProcesses() {
        var known: [NetworkNamespace.Identity: Int] = [:]
        for (place, namespace) in found.enumerated() { known[namespace.identity] = place }
        let own = getpid()
        for process in ProcessTable.all() where process != own {
            let path = "/proc/\(process)/ns/net"
            var status = stat()
            guard stat(path, &status) == 0 else {
                if ProcessTable.isForbidden(process) { hiddenProcesses += 1 }
                continue
            }
            let identity = NetworkNamespace.Identity(
                device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            if let place = known[identity] {
                if found[place].processID == nil { found[place].processID = process }
                if found[place].path == "/proc/self/ns/net" { found[place].path = path }
            } else {
                known[identity] = found.count
                found.append(FoundNamespace(identity: identity, path: path, processID: process))
            }
        }
    }
}
