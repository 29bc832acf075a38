// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Type information that the kernel holds of itself and its modules.
public enum KernelBTF {
    /// What a BTF descriptor stands for; the descriptor stays the caller's.
    static func identify(_ number: Int32) throws(BPFError) -> PreparedProgram.KernelModule {
        let name = CallMemory(zeros: 64)
        var info = bpf_btf_info()
        info.name = name.address
        info.name_len = 64
        let descriptor = try Descriptor.copy(of: number)
        try ObjectInformation.read(&info, from: descriptor, kind: "module's types")
        return PreparedProgram.KernelModule(btfID: info.id, name: name.text())
    }

    /// Opens the type information of a module; fails if the module was unloaded since.
    public static func open(_ module: PreparedProgram.KernelModule) throws(BPFError) -> Descriptor {
        var attributes = bpf_attr()
        attributes.btf_id = module.btfID
        let descriptor: Descriptor
        do throws(Errno) {
            descriptor = try KernelDoor.descriptor(.btfByID, &attributes)
        } catch {
            throw BPFError(
                "open the types of kernel module \(module.name)", errno: error,
                remedy: "The module was unloaded or reloaded since the member was loaded: replace the member")
        }
        return descriptor
    }
}
