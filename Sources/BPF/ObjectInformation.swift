// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// BPF_OBJ_GET_INFO_BY_FD for programs, maps, links and BTF.
enum ObjectInformation {
    /// Fills `info`, one of libbpf's plain C structures; the kernel writes no more than its size.
    static func read<Info>(
        _ info: inout Info, from descriptor: borrowing Descriptor, kind: String
    ) throws(BPFError) {
        let size = MemoryLayout<Info>.size
        let memory = CallMemory(withUnsafeBytes(of: info) { Array($0) })
        var attributes = bpf_attr()
        attributes.info.bpf_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.info.info_len = UInt32(size)
        attributes.info.info = memory.address
        do throws(Errno) {
            try KernelDoor.bpf(.objectInfo, &attributes)
        } catch {
            throw BPFError("read what the kernel says of a \(kind)", errno: error)
        }
        withUnsafeMutableBytes(of: &info) { $0.copyBytes(from: memory.bytes()) }
    }
}
