// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// A link by which a program takes the place of a function of another program (freplace), as the kernel tells it
/// (`struct bpf_link_info`).
public struct ExtensionLink: Sendable, Hashable {
    public let id: UInt32
    /// The program that is put in.
    public let programID: UInt32
    /// The program that it is put into; 0 before Linux 5.13, which does not tell.
    public let targetID: UInt32
    /// The type id of the function that it takes the place of, in the BTF of the target; 0 before Linux 5.13.
    public let targetFunction: UInt32

    /// All that there are now; links that vanish meanwhile are left out. Needs CAP_SYS_ADMIN.
    public static func all() throws(BPFError) -> [ExtensionLink] {
        var links: [ExtensionLink] = []
        for id in try KernelIDs.links() {
            guard let link = try XDPLink.open(id: id) else { continue }
            var info = bpf_link_info()
            try ObjectInformation.read(&info, from: link.descriptor, kind: "link")
            guard info.type == UInt32(BPF_LINK_TYPE_TRACING.rawValue),
                info.tracing.attach_type == 0
            else { continue }
            links.append(
                ExtensionLink(
                    id: info.id, programID: info.prog_id, targetID: info.tracing.target_obj_id,
                    targetFunction: info.tracing.target_btf_id))
        }
        return links
    }
}
