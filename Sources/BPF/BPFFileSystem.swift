// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// The BPF file system, which keeps kernel objects alive without a process.
public struct BPFFileSystem: Sendable, Hashable {
    /// Where it is mounted, without a slash at the end.
    public let root: String

    /// Where distributions mount it.
    public static let standardPath = "/sys/fs/bpf"

    /// `BPF_FS_MAGIC` of linux/magic.h.
    private static let magic = Int(0xcafe_4a11 as UInt32)

    /// Finds the BPF file system of the machine.
    ///
    /// Each mount is a file system of its own, and one that was mounted in a private mount namespace (as
    /// `ip netns exec` makes one) takes its pins with it when the last process leaves. So the mount of
    /// process 1 is preferred where the two differ; if there is none at all it is mounted, but only where
    /// it will stay.
    public static func find() throws(BPFError) -> BPFFileSystem {
        let mounts = InitialMounts()
        let isShared = mounts.isOwn
        if isShared != false, isMounted(at: standardPath) { return BPFFileSystem(root: standardPath) }
        if isShared == false {
            for path in mounts.ways(to: standardPath) where isMounted(at: path) {
                return BPFFileSystem(root: path)
            }
        }
        guard isShared != false else {
            throw BPFError(
                "find the BPF file system", on: standardPath,
                remedy: "This process runs in a mount namespace of its own, where a new mount would vanish "
                    + "with it: run `mount -t bpf bpf \(standardPath)` on the host, or run xdpctl there with "
                    + "--netns instead of inside `ip netns exec`")
        }
        do throws(Errno) {
            try KernelDoor.mountBPFFileSystem(at: standardPath)
        } catch {
            throw BPFError(
                "mount the BPF file system", on: standardPath, errno: error,
                remedy: Capability.remedy(for: [.systemAdministration])
                    ?? "Mount it with `mount -t bpf bpf \(standardPath)`")
        }
        return BPFFileSystem(root: standardPath)
    }

    /// Whether a path, or the nearest directory above it that exists, lies in a BPF file system.
    public static func isInside(_ path: String) -> Bool {
        var nearest = path
        while !nearest.isEmpty, !exists(nearest), let slash = nearest.lastIndex(of: "/") {
            nearest = String(nearest[..<slash])
        }
        return !nearest.isEmpty && isMounted(at: nearest)
    }

    /// All BPF file systems that process 1 sees and this process can reach, each once; none is mounted for it.
    public static func reachable() -> [BPFFileSystem] {
        let initial = InitialMounts()
        var mounts = initial.isOwn == false ? Mount.all(of: "1") : []
        if mounts.isEmpty { mounts = Mount.all(of: "self") }
        var devices: Set<String> = []
        var found: [BPFFileSystem] = []
        for mount in mounts where mount.fileSystem == "bpf" && !devices.contains(mount.device) {
            let ways = initial.isOwn == false ? initial.ways(to: mount.path) : [mount.path]
            guard let way = ways.first(where: { isMounted(at: $0) }) else { continue }
            devices.insert(mount.device)
            // Of two that are mounted over each other only the upper one can be seen.
            guard !found.contains(where: { $0.root == way }) else { continue }
            found.append(BPFFileSystem(root: way))
        }
        return found
    }

    private static func isMounted(at path: String) -> Bool {
        cbpf_file_system_magic(path) == magic
    }

    /// Opens a pinned object of any kind.
    static func open(_ path: String) throws(BPFError) -> Descriptor {
        let text = CallMemory(path)
        var attributes = bpf_attr()
        attributes.pathname = text.address
        do throws(Errno) {
            let descriptor = try KernelDoor.descriptor(.objectGet, &attributes)
            withExtendedLifetime(text) {}
            return descriptor
        } catch {
            throw BPFError("open a pinned object", on: path, errno: error)
        }
    }

    static func pin(_ descriptor: borrowing Descriptor, at path: String) throws(BPFError) {
        let text = CallMemory(path)
        var attributes = bpf_attr()
        attributes.pathname = text.address
        attributes.bpf_fd = UInt32(bitPattern: descriptor.rawValue)
        do throws(Errno) {
            try KernelDoor.bpf(.objectPin, &attributes)
            withExtendedLifetime(text) {}
        } catch {
            throw BPFError("pin", on: path, errno: error)
        }
    }

    /// Removes a pin; a pin that is already gone is no error.
    public static func unpin(_ path: String) throws(BPFError) {
        do throws(Errno) {
            try KernelDoor.removeFile(path)
        } catch {
            if error != .noSuchFileOrDirectory { throw BPFError("remove a pin", on: path, errno: error) }
        }
    }

    /// Removes an empty directory.
    public static func removeDirectory(_ path: String) throws(BPFError) {
        do throws(Errno) {
            try KernelDoor.removeDirectory(path)
        } catch {
            throw BPFError("remove a directory", on: path, errno: error)
        }
    }

    /// Makes a directory and those above it, each with mode 0700; existing ones are left as they are.
    public static func makeDirectories(_ path: String) throws(BPFError) {
        var failure: Errno?
        do throws(Errno) {
            try KernelDoor.makeDirectory(path, mode: 0o700)
            return
        } catch {
            if error == .fileExists { return }
            failure = error
        }
        if failure == .noSuchFileOrDirectory, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]))
            do throws(Errno) {
                try KernelDoor.makeDirectory(path, mode: 0o700)
                return
            } catch {
                if error == .fileExists { return }
                failure = error
            }
        }
        throw BPFError("make a directory", on: path, errno: failure)
    }

    /// The names in a directory, sorted; empty where it does not exist.
    public static func entries(of path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether something is at a path.
    public static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
