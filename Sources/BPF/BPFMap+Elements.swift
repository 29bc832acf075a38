// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

// Elements at addresses of the caller, of the sizes that the map has: nothing is copied or allocated on the way.
extension BPFMap {
    /// Reads the element of a key; false if there is none.
    public borrowing func lookup(
        _ key: UnsafeRawPointer, into value: UnsafeMutableRawPointer
    ) throws(BPFError) -> Bool {
        try touch(.mapLookup, "read a map element", key, UnsafeRawPointer(value))
    }

    /// Writes an element; false if `flags` forbid it (`BPF_EXIST`).
    @discardableResult
    public borrowing func update(
        _ key: UnsafeRawPointer, to value: UnsafeRawPointer, flags: UInt64 = 0
    ) throws(BPFError) -> Bool {
        try touch(.mapUpdate, "write a map element", key, value, flags: flags)
    }

    /// Removes an element; false if there was none.
    @discardableResult
    public borrowing func delete(_ key: UnsafeRawPointer) throws(BPFError) -> Bool {
        try touch(.mapDelete, "delete a map element", key, nil)
    }

    /// Writes the key that follows `key`, or the first one for nil; false at the end. Behind a key that is not there
    /// comes the first one.
    public borrowing func key(
        after key: UnsafeRawPointer?, into next: UnsafeMutableRawPointer
    ) throws(BPFError) -> Bool {
        try touch(.mapNextKey, "walk a map", key, UnsafeRawPointer(next))
    }

    /// Whether there is no element.
    public borrowing func isEmpty(keySize: Int) throws(BPFError) -> Bool {
        let next = CallMemory(zeros: keySize)
        let found = try touch(
            .mapNextKey, "walk a map", nil, UnsafeRawPointer(bitPattern: UInt(next.address)))
        withExtendedLifetime(next) {}
        return !found
    }

    private borrowing func touch(
        _ command: BPFCommand, _ operation: String, _ key: UnsafeRawPointer?, _ value: UnsafeRawPointer?,
        flags: UInt64 = 0
    ) throws(BPFError) -> Bool {
        var attributes = bpf_attr()
        attributes.map_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.key = UInt64(UInt(bitPattern: key))
        attributes.value = UInt64(UInt(bitPattern: value))
        attributes.flags = flags
        do throws(Errno) {
            try KernelDoor.bpf(command, &attributes)
        } catch {
            if error == .noSuchFileOrDirectory { return false }
            throw BPFError(operation, errno: error)
        }
        return true
    }
}
