// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

extension BPFMap {
    /// Creates a map whose values are maps.
    ///
    /// - Parameters:
    ///   - definition: of the type `arrayOfMaps` or `hashOfMaps`, with values of 4 bytes.
    ///   - inner: what its values have to be like; it is not put in.
    public init(_ definition: MapDefinition, like inner: borrowing BPFMap) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.map_type = definition.type.rawValue
        attributes.key_size = definition.keySize
        attributes.value_size = definition.valueSize
        attributes.max_entries = definition.maximumEntries
        attributes.map_flags = definition.flags
        attributes.inner_map_fd = UInt32(bitPattern: inner.descriptor.rawValue)
        withUnsafeMutableBytes(of: &attributes.map_name) { ObjectName.write(definition.name, to: $0) }
        let descriptor: Descriptor
        do throws(Errno) {
            descriptor = try MemoryLock.retrying { () throws(Errno) in
                try KernelDoor.descriptor(.mapCreate, &attributes)
            }
        } catch {
            throw BPFError(
                "create a map of maps", on: "\(definition.type) \(definition.name)", errno: error,
                remedy: error == .notPermitted ? Capability.remedy(for: [.bpf]) : nil)
        }
        self.init(owning: descriptor)
    }

    /// Puts a map into an array of maps.
    public borrowing func set(_ map: borrowing BPFMap, at index: UInt32) throws(BPFError) {
        var value = UInt32(bitPattern: map.descriptor.rawValue)
        var key = index
        try update(&key, to: &value)
    }
}
