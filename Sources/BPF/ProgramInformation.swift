// SPDX-License-Identifier: Apache-2.0
import CBPF

/// What the kernel says of a program (`struct bpf_prog_info`).
public struct ProgramInformation: Sendable, Hashable {
    public let id: UInt32
    /// `enum bpf_prog_type`; 6 is XDP.
    public let type: UInt32
    /// At most 15 bytes.
    public let name: String
    /// The kernel's hash of the instructions, 16 hexadecimal digits. Not comparable across kernels.
    public let tag: String
    /// Nanoseconds since boot.
    public let loadTime: UInt64
    /// Who loaded it.
    public let userID: UInt32
    /// Instructions that the verifier simulated; 0 before Linux 5.16.
    public let verifiedInstructions: UInt32
    /// Bytes of translated instructions.
    public let translatedSize: UInt32
    /// Bytes of machine code; 0 where the program is interpreted.
    public let machineCodeSize: UInt32
    public let btfID: UInt32
    /// The types of the program or the kernel whose function it is made for; 0 for none, and before Linux 6.0.
    public let targetTypesID: UInt32

    /// Nanoseconds in which the program ran, and how often, while somebody had the kernel count it (``RunStatistics``).
    public let runTime: UInt64
    public let runCount: UInt64

    /// Whether the program runs on an interface, or behind a redirect: BPF_PROG_TYPE_XDP.
    public var isXDP: Bool { type == UInt32(BPF_PROG_TYPE_XDP.rawValue) }
    /// Whether the program takes the place of a function of another one: BPF_PROG_TYPE_EXT.
    public var isExtension: Bool { type == UInt32(BPF_PROG_TYPE_EXT.rawValue) }

    init(_ info: bpf_prog_info) {
        id = info.id
        type = info.type
        name = ObjectName.read(info.name)
        tag = withUnsafeBytes(of: info.tag) { bytes in
            bytes.map { byte in
                let text = String(byte, radix: 16)
                return text.count == 1 ? "0" + text : text
            }.joined()
        }
        loadTime = info.load_time
        userID = info.created_by_uid
        verifiedInstructions = info.verified_insns
        translatedSize = info.xlated_prog_len
        machineCodeSize = info.jited_prog_len
        btfID = info.btf_id
        targetTypesID = info.attach_btf_obj_id
        runTime = info.run_time_ns
        runCount = info.run_cnt
    }
}
