// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Type information that the kernel holds of itself and its modules.
public enum KernelBTF {
    /// What a BTF descriptor stands for.
    static func identify(_ descriptor: Int32) throws(BPFError) -> PreparedProgram.KernelModule {
        var info = bpf_btf_info()
        var name = [UInt8](repeating: 0, count: 64)
        do throws(Errno) {
            try name.withUnsafeMutableBufferPointer { name throws(Errno) in
                info.name = address(UnsafeRawPointer(name.baseAddress))
                info.name_len = UInt32(name.count)
                try withUnsafeMutableBytes(of: &info) { info throws(Errno) in
                    var attributes = bpf_attr()
                    attributes.info.bpf_fd = UInt32(bitPattern: descriptor)
                    attributes.info.info_len = UInt32(info.count)
                    attributes.info.info = address(UnsafeRawPointer(info.baseAddress))
                    try KernelDoor.bpf(.objectInfo, &attributes)
                }
            }
        } catch {
            throw BPFError("read what the kernel says of a module's types", errno: error)
        }
        let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        return PreparedProgram.KernelModule(btfID: info.id, name: text)
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
