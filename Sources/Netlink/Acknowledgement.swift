// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// How the kernel ended an exchange: `NLMSG_ERROR` (also with error 0) or the `NLMSG_DONE` of a dump.
///
/// Layout of the payload, from `linux/netlink.h` (`struct nlmsgerr`), host byte order:
///
/// | Offset | Size | Field |
/// |---|---|---|
/// | 0 | 4 | 0, or the error number negated |
/// | 4 | 16 | `NLMSG_ERROR` only: header of the request |
/// | 20 | … | `NLMSG_ERROR` without `NLM_F_CAPPED`: payload of the request, padded |
/// | | | with `NLM_F_ACK_TLVS`: attributes `NLMSGERR_ATTR_…` |
struct Acknowledgement: Hashable, Sendable {
    /// Nil when all went well.
    var errno: Errno?
    /// The kernel's explanation, or its warning when all went well.
    var text: String?

    /// Reads a message of type `NLMSG_ERROR` or `NLMSG_DONE`; nil for any other and for one without error
    /// field.
    init?(_ message: NetlinkMessage) {
        let payload = message.payload[...]
        var attributesOffset = MemoryLayout<Int32>.size
        switch message.type {
        case Int(NLMSG_DONE):
            // A dump that ended well may come without the field.
            if payload.isEmpty { return }
        case Int(NLMSG_ERROR):
            guard let requestLength = payload.integer(UInt32.self, at: attributesOffset) else { return nil }
            let capped = message.flags & UInt16(NLM_F_CAPPED) != 0
            attributesOffset += capped ? NetlinkMessage.headerSize : netlinkAligned(Int(requestLength))
        default:
            return nil
        }
        guard let code = payload.integer(Int32.self) else { return nil }
        if code != 0 {
            errno = Errno(rawValue: code == .min ? EIO : abs(code))
        }
        if message.flags & UInt16(NLM_F_ACK_TLVS) != 0 {
            let attributes = Attributes(payload.suffix(after: attributesOffset))
            let said = attributes[Int(NLMSGERR_ATTR_MSG.rawValue)]?.string
            text = said.flatMap { $0.isEmpty ? nil : $0 }
        }
    }
}
