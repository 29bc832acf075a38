// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// A map in the kernel, by descriptor.
public struct BPFMap: ~Copyable, Sendable {
    /// The descriptor; other calls borrow its number.
    public let descriptor: Descriptor

    /// Takes over a descriptor of a map.
    public init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Creates a map.
    ///
    /// Needs CAP_BPF. Before Linux 5.11 map memory counts against RLIMIT_MEMLOCK: where that refuses the
    /// map, the limit is raised once and the call repeated.
    public init(_ definition: MapDefinition) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.map_type = definition.type.rawValue
        attributes.key_size = definition.keySize
        attributes.value_size = definition.valueSize
        attributes.max_entries = definition.maximumEntries
        attributes.map_flags = definition.flags
        withUnsafeMutableBytes(of: &attributes.map_name) { ObjectName.write(definition.name, to: $0) }
        let descriptor: Descriptor
        do throws(Errno) {
            descriptor = try MemoryLock.retrying { () throws(Errno) in
                try KernelDoor.descriptor(.mapCreate, &attributes)
            }
        } catch {
            throw BPFError(
                "create a map", on: "\(definition.type) \(definition.name)", errno: error,
                remedy: error == .notPermitted ? Capability.remedy(for: [.bpf]) : nil)
        }
        self.descriptor = descriptor
    }

    /// Opens a map by its id. Needs CAP_SYS_ADMIN.
    public init(id: UInt32) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.map_id = id
        do throws(Errno) {
            self.descriptor = try KernelDoor.descriptor(.mapByID, &attributes)
        } catch {
            throw BPFError.opening("map", id: id, errno: error)
        }
    }

    /// Opens a pinned map.
    public init(pinnedAt path: String) throws(BPFError) {
        let opened = try BPFFileSystem.open(path)
        // Of another object the kernel would tell its own kind of information.
        if let kind = opened.kind(), kind != "bpf-map" {
            throw BPFError("open a pinned map", on: path, kernelMessage: "it is a \(kind), not a map")
        }
        self.descriptor = opened
    }

    /// What the kernel says of the map.
    public borrowing func information() throws(BPFError) -> MapInformation {
        var info = bpf_map_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "map")
        return MapInformation(info)
    }

    /// Reads one element into a byte array; nil if there is none.
    ///
    /// - Parameter valueSize: the bytes that the kernel writes: the value size, or for per-CPU maps the
    ///   value size rounded up to 8 times the number of possible CPUs.
    public borrowing func lookup(_ key: [UInt8], valueSize: Int) throws(BPFError) -> [UInt8]? {
        let value = CallMemory(zeros: valueSize)
        let found = try access(.mapLookup, "read a map element", key, value)
        return found ? value.bytes() : nil
    }

    /// Writes one element.
    public borrowing func update(_ key: [UInt8], to value: [UInt8], flags: UInt64 = 0) throws(BPFError) {
        guard try access(.mapUpdate, "write a map element", key, CallMemory(value), flags: flags) else {
            throw BPFError("write a map element", errno: .noSuchFileOrDirectory)
        }
    }

    /// Removes one element; false if there was none.
    @discardableResult
    public borrowing func delete(_ key: [UInt8]) throws(BPFError) -> Bool {
        try access(.mapDelete, "delete a map element", key, CallMemory(zeros: 0))
    }

    /// The key that follows `key`, or the first one for nil; nil at the end.
    public borrowing func key(after key: [UInt8]?, keySize: Int) throws(BPFError) -> [UInt8]? {
        let next = CallMemory(zeros: keySize)
        let found = try access(.mapNextKey, "walk a map", key, next)
        return found ? next.bytes() : nil
    }

    /// One command on one element; false if the kernel says that there is none.
    private borrowing func access(
        _ command: BPFCommand, _ operation: String, _ key: [UInt8]?, _ value: borrowing CallMemory,
        flags: UInt64 = 0
    ) throws(BPFError) -> Bool {
        let keyMemory = CallMemory(key ?? [])
        var attributes = bpf_attr()
        attributes.map_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.key = key == nil ? 0 : keyMemory.address
        // The next key has the place of the value.
        if command != .mapDelete { attributes.value = value.address }
        attributes.flags = flags
        do throws(Errno) {
            try KernelDoor.bpf(command, &attributes)
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw BPFError(operation, errno: error)
        }
        // The key has to live until here.
        withExtendedLifetime(keyMemory) {}
        return true
    }

    /// Forbids every further write from user space. Linux 5.2.
    public borrowing func freeze() throws(BPFError) {
        var attributes = bpf_attr()
        attributes.map_fd = UInt32(bitPattern: descriptor.rawValue)
        do throws(Errno) {
            try KernelDoor.bpf(.mapFreeze, &attributes)
        } catch {
            throw BPFError("freeze a map", errno: error)
        }
    }

    /// Makes the map outlive its descriptors at a path of the BPF file system.
    public borrowing func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(descriptor, at: path)
    }
}

extension BPFError {
    static func opening(_ kind: String, id: UInt32, errno: Errno) -> BPFError {
        switch errno {
        case .noSuchFileOrDirectory:
            BPFError("open a \(kind) by id", on: "\(kind) \(id)", errno: errno, remedy: "It is gone")
        case .notPermitted:
            BPFError(
                "open a \(kind) by id", on: "\(kind) \(id)", errno: errno,
                remedy: Capability.remedy(for: [.systemAdministration]))
        default: BPFError("open a \(kind) by id", on: "\(kind) \(id)", errno: errno)
        }
    }
}
