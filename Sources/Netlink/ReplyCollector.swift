// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Picks the replies to one request out of what arrives, up to the message that ends them.
struct ReplyCollector {
    /// The request's number.
    let sequence: UInt32
    /// The asking socket's port.
    let port: UInt32
    /// The replies so far.
    private(set) var replies: [NetlinkMessage] = []
    /// False when the kernel said that the list changed while it gave it out.
    private(set) var isConsistent = true
    /// The kernel's warning at the end.
    private(set) var warning: String?

    init(sequence: UInt32, port: UInt32) {
        self.sequence = sequence
        self.port = port
    }

    /// What the kernel refused the request with.
    struct Refusal: Error, Hashable {
        var errno: Errno
        var text: String?
    }

    /// Takes one message; what belongs to other requests is skipped.
    ///
    /// - Returns: true when it was the last.
    mutating func take(_ message: NetlinkMessage) throws(Refusal) -> Bool {
        guard message.sequence == sequence, message.port == port else { return false }
        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
        switch message.type {
        case Int(NLMSG_DONE), Int(NLMSG_ERROR):
            guard let acknowledgement = Acknowledgement(message) else { throw Refusal(errno: .badMessage) }
            if let errno = acknowledgement.errno {
                throw Refusal(errno: errno, text: acknowledgement.text)
            }
            warning = acknowledgement.text
            return true
        case Int(NLMSG_OVERRUN):
            throw Refusal(errno: .noBufferSpace)
        case Int(NLMSG_NOOP):
            return false
        default:
            replies.append(message)
            return false
        }
    }
}
