// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Type information in the kernel, by descriptor, shared by those who need it to live.
public final class BTFHandle: Sendable {
    public let descriptor: Descriptor
    public let id: UInt32

    /// Duplicates a descriptor of BTF.
    init(copying number: Int32) throws(BPFError) {
        descriptor = try Descriptor.copy(of: number)
        var info = bpf_btf_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "types")
        id = info.id
    }

    /// Opens type information by its id. Needs CAP_SYS_ADMIN.
    public init(id: UInt32) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.btf_id = id
        do throws(Errno) {
            descriptor = try KernelDoor.descriptor(.btfByID, &attributes)
        } catch {
            throw BPFError.opening("type information", id: id, errno: error)
        }
        self.id = id
    }
}
