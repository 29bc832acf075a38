// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// The kernel's own type information (BTF), or a module's: what functions there are, and which of them programs
/// may call.
public final class KernelTypes {
    /// A function and its type id.
    public struct Function: Sendable, Hashable {
        public let name: String
        public let id: UInt32
    }

    let view: BTFView
    /// What a module's types build upon.
    private let base: KernelTypes?
    /// The first id that is the module's own.
    private let first: UInt32

    /// Whether the kernel shows its type information.
    public static var isThere: Bool { access("/sys/kernel/btf/vmlinux", R_OK) == 0 }

    /// Reads the kernel's own; nil where it shows none, or libbpf cannot read it.
    public init?() {
        let opened = LibbpfLog.collecting { btf__load_vmlinux_btf() }.result
        guard let opened else { return nil }
        view = BTFView(btf: opened)
        base = nil
        first = 1
    }

    /// Reads that of a module; nil where the module is not loaded, or its type information not to be read.
    public init?(module: String, base: KernelTypes) {
        let allowed = module.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ".") }
        guard allowed, !module.isEmpty else { return nil }
        let opened = LibbpfLog.collecting { btf__load_module_btf(module, base.view.btf) }.result
        guard let opened else { return nil }
        view = BTFView(btf: opened)
        self.base = base
        first = base.view.typeCount
    }

    deinit { btf__free(view.btf) }

    /// The type id of a function; nil where there is none of the name.
    public func function(_ name: String) -> UInt32? {
        // BTF_KIND_FUNC
        let id = btf__find_by_name_kind(view.btf, name, 12)
        guard id > 0, UInt32(id) >= first else { return nil }
        return UInt32(id)
    }

    /// The name of a function; nil where the id is none.
    public func functionName(_ id: UInt32) -> String? {
        view.kind(id) == 12 ? view.name(id) : nil
    }

    /// The functions that are marked for programs to call ("bpf_kfunc"); none where the kernel's build did not mark
    /// them, as older ones do not.
    public func markedFunctions() -> [Function] {
        var found: [Function] = []
        for id in first..<max(first, view.typeCount) {
            // BTF_KIND_DECL_TAG
            guard let type = view.type(id), type.pointee.info >> 24 & 0x1f == 17,
                let tag = btf__str_by_offset(view.btf, type.pointee.name_off), strcmp(tag, "bpf_kfunc") == 0
            else { continue }
            let function = type.pointee.type
            guard view.kind(function) == 12 else { continue }
            found.append(Function(name: view.name(function), id: function))
        }
        return found
    }
}

extension KernelBTF {
    /// The type information of a module that is loaded; nil where there is none. Needs CAP_SYS_ADMIN.
    public static func module(named name: String) -> PreparedProgram.KernelModule? {
        guard let ids = try? KernelIDs.types() else { return nil }
        for id in ids {
            var attributes = bpf_attr()
            attributes.btf_id = id
            guard let descriptor = try? KernelDoor.descriptor(.btfByID, &attributes) else { continue }
            let text = CallMemory(zeros: 64)
            var info = bpf_btf_info()
            info.name = text.address
            info.name_len = 64
            guard (try? ObjectInformation.read(&info, from: descriptor, kind: "types")) != nil,
                info.kernel_btf != 0, text.text() == name
            else { continue }
            return PreparedProgram.KernelModule(btfID: id, name: name)
        }
        return nil
    }
}
