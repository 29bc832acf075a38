// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Whether this kernel lets programs take the place of functions of other programs (freplace), which a dispatcher
/// needs. Some machines forbid it whatever the capabilities.
enum ExtensionSupport {
    static let isThere: Bool = {
        // No instructions: E2BIG where such programs are taken at all, EPERM where they are not.
        var attributes = bpf_attr()
        attributes.prog_type = UInt32(BPF_PROG_TYPE_EXT.rawValue)
        return cbpf_bpf(5, &attributes, UInt32(MemoryLayout<bpf_attr>.size)) != Int(-EPERM)
    }()
}
