// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The names of kernel functions that programs call by their BTF ids.
public struct KernelFunctionNames {
    /// A kernel function: its type id, and the module whose types it is in.
    public struct Reference: Sendable, Hashable {
        public var type: UInt32
        /// Nil for the kernel itself.
        public var module: PreparedProgram.KernelModule?

        public init(type: UInt32, module: PreparedProgram.KernelModule? = nil) {
            self.type = type
            self.module = module
        }
    }

    /// The names of those that could be read. Reads the kernel's own type information, which takes some
    /// milliseconds.
    public static func names(of references: Set<Reference>) -> [Reference: String] {
        guard !references.isEmpty else { return [:] }
        var names: [Reference: String] = [:]
        _ = LibbpfLog.collecting {
            guard let kernel = btf__load_vmlinux_btf() else { return }
            defer { btf__free(kernel) }
            for (module, own) in Dictionary(grouping: references, by: \.module) {
                guard let module else {
                    for reference in own { names[reference] = name(reference.type, in: kernel) }
                    continue
                }
                guard let types = btf__load_from_kernel_by_id_split(module.btfID, kernel) else { continue }
                defer { btf__free(types) }
                for reference in own { names[reference] = name(reference.type, in: types) }
            }
        }
        return names
    }

    private static func name(_ type: UInt32, in btf: OpaquePointer) -> String? {
        let view = BTFView(btf: btf)
        // BTF_KIND_FUNC
        guard type < view.typeCount, view.kind(type) == 12 else { return nil }
        let name = view.name(type)
        return name.isEmpty ? nil : name
    }
}
