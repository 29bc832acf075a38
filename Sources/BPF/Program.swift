// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// A loaded XDP program, by descriptor.
public struct Program: ~Copyable, Sendable {
    public let descriptor: Descriptor

    /// Takes over a descriptor of a program.
    public init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Opens a program by its id. Needs CAP_SYS_ADMIN.
    public init(id: UInt32) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.prog_id = id
        do throws(Errno) {
            self.descriptor = try KernelDoor.descriptor(.programByID, &attributes)
        } catch {
            throw BPFError.opening("program", id: id, errno: error)
        }
    }

    /// What the kernel says of the program.
    public borrowing func information() throws(BPFError) -> ProgramInformation {
        var info = bpf_prog_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        return ProgramInformation(info)
    }

    /// The ids of the maps that live as long as the program: first those its instructions refer to, in
    /// their order, then those bound later.
    public borrowing func mapIDs() throws(BPFError) -> [UInt32] {
        var info = bpf_prog_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        // Between two calls a map can only be added; ask again until all fit.
        while true {
            let count = info.nr_map_ids
            guard count > 0 else { return [] }
            let memory = CallMemory(zeros: Int(count) * 4)
            info = bpf_prog_info()
            info.nr_map_ids = count
            info.map_ids = memory.address
            try ObjectInformation.read(&info, from: descriptor, kind: "program")
            guard info.nr_map_ids <= count else { continue }
            let reader = ByteReader(memory.bytes())
            return (0..<Int(info.nr_map_ids)).compactMap { reader.integer(at: $0 * 4) }
        }
    }

    /// Makes a map live as long as the program, also if no instruction refers to it. Linux 5.10.
    public borrowing func bind(_ map: borrowing BPFMap) throws(BPFError) {
        var attributes = bpf_attr()
        attributes.prog_bind_map.prog_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.prog_bind_map.map_fd = UInt32(bitPattern: map.descriptor.rawValue)
        do throws(Errno) {
            try KernelDoor.bpf(.programBindMap, &attributes)
        } catch {
            throw BPFError("bind a map to a program", errno: error)
        }
    }

    /// Makes the program outlive its descriptors at a path of the BPF file system.
    public borrowing func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(descriptor, at: path)
    }
}
