// SPDX-License-Identifier: Apache-2.0
import BPF

/// Where the kernel keeps what events are told apart by, in bytes from the beginning of its structures.
struct EventOffsets: Sendable, Hashable {
    /// `net_device`
    var interface: Int
    /// `net_device.nd_net.net`; nil in a kernel without network namespaces.
    var network: Int?
    /// `net.ns.inum`
    var inode: Int?
    /// `bpf_prog` and `bpf_prog_aux`
    var auxiliary: Int
    var program: Int
    /// `bpf_map`
    var map: Int
    var mapType: Int
    /// `task_struct` and `nsproxy`
    var proxy: Int?
    var proxyNetwork: Int?

    /// - Throws: the name of what is not there.
    init(_ types: KernelTypes) throws(Missing) {
        func find(_ structure: String, _ path: String...) throws(Missing) -> Int {
            guard let offset = types.offset(of: path, in: structure) else {
                throw Missing(field: structure + "." + path.joined(separator: "."))
            }
            return offset
        }
        interface = try find("net_device", "ifindex")
        network = types.offset(of: ["nd_net", "net"], in: "net_device")
        inode = types.offset(of: ["ns", "inum"], in: "net")
        auxiliary = try find("bpf_prog", "aux")
        program = try find("bpf_prog_aux", "id")
        map = try find("bpf_map", "id")
        mapType = try find("bpf_map", "map_type")
        proxy = types.offset(of: ["nsproxy"], in: "task_struct")
        proxyNetwork = types.offset(of: ["net_ns"], in: "nsproxy")
    }

    struct Missing: Error {
        let field: String
    }
}
