// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// The type information (BTF) that was loaded with a program, as the kernel holds it.
///
/// The kernel has checked it when it took it. Kinds of types that are younger than libbpf make it unreadable as
/// a whole; then there is none.
public final class ProgramTypes {
    private let view: BTFView

    /// Opens the type information by its id; nil where there is none, where it is gone or cannot be read. Needs
    /// CAP_SYS_ADMIN.
    public init?(id: UInt32) {
        guard id != 0, let bytes = Self.bytes(id: id) else { return nil }
        let opened = LibbpfLog.collecting { btf__new(bytes, UInt32(bytes.count)) }.result
        guard let opened else { return nil }
        view = BTFView(btf: opened)
    }

    deinit { btf__free(view.btf) }

    private static func bytes(id: UInt32) -> [UInt8]? {
        var attributes = bpf_attr()
        attributes.btf_id = id
        guard let descriptor = try? KernelDoor.descriptor(.btfByID, &attributes) else { return nil }
        var info = bpf_btf_info()
        guard (try? ObjectInformation.read(&info, from: descriptor, kind: "type information")) != nil else {
            return nil
        }
        // The kernel takes 16 MiB at most.
        let size = info.btf_size
        guard size > 0, size <= 16 << 20 else { return nil }
        let memory = CallMemory(zeros: Int(size))
        info = bpf_btf_info()
        info.btf = memory.address
        info.btf_size = size
        guard (try? ObjectInformation.read(&info, from: descriptor, kind: "type information")) != nil else {
            return nil
        }
        return memory.bytes()
    }

    /// The name of a function by its type id; nil where that is no function.
    public func functionName(_ id: UInt32) -> String? {
        view.kind(id) == 12 ? view.name(id) : nil
    }

    /// A text by its offset.
    func string(_ offset: UInt32) -> String { view.string(offset) }

    /// What a program says of its place in a chain; nil if nothing.
    public func runConfiguration(of program: String) -> RunConfiguration? {
        RunConfiguration(of: program, in: view)
    }

    /// The name of the structure that a variable of a section is made of; nil where there is no such variable.
    public func structureName(ofVariable name: String, inSection section: String) -> String? {
        guard let section = view.dataSection(section),
            let variable = view.members(of: section).first(where: { $0.name == name })
        else { return nil }
        let type = view.resolved(variable.type)
        return view.kind(type) == 4 ? view.name(type) : nil
    }

    /// A number that is written as libbpf's `__uint`: the length of an array that a pointer leads to.
    public func number(_ name: String, inSection section: String) -> UInt32? {
        guard let section = view.dataSection(section),
            let variable = view.members(of: section).first(where: { $0.name == name })
        else { return nil }
        let pointer = view.resolved(variable.type)
        guard view.kind(pointer) == 2, let target = view.type(pointer)?.pointee.type else { return nil }
        return view.array(view.resolved(target))?.count
    }
}

extension Program {
    /// The type id of the function in which the program begins; nil where the kernel was not told.
    public borrowing func mainFunctionType() throws(BPFError) -> UInt32? {
        var info = bpf_prog_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        let size = info.func_info_rec_size
        guard info.nr_func_info > 0, size >= 8, size <= 256 else { return nil }
        let memory = CallMemory(zeros: Int(size))
        info = bpf_prog_info()
        info.nr_func_info = 1
        info.func_info_rec_size = size
        info.func_info = memory.address
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        let record = ByteReader(memory.bytes())
        guard record.integer(at: 0, as: UInt32.self) == 0 else { return nil }
        return record.integer(at: 4)
    }
}
