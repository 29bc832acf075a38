// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Netlink

@Suite("Reading messages")
struct NetlinkMessageTests {
    @Test("a datagram of two messages is taken apart at the aligned length")
    func twoMessages() throws {
        let datagram = hex(
            """
            11 00 00 00  # length 17: one byte of payload
            10 00 02 00  # type 16, flags NLM_F_MULTI
            05 00 00 00  # sequence 5
            39 30 00 00  # port 12345
            2a 00 00 00  # payload, padding
            14 00 00 00  # length 20
            03 00 02 00  # NLMSG_DONE
            05 00 00 00
            39 30 00 00
            00 00 00 00
            """)

        let messages = try NetlinkMessage.messages(in: datagram[...])

        #expect(
            messages == [
                NetlinkMessage(type: 16, flags: 2, sequence: 5, port: 12345, payload: [0x2A]),
                NetlinkMessage(type: 3, flags: 2, sequence: 5, port: 12345, payload: [0, 0, 0, 0]),
            ])
    }

    @Test(
        "a datagram that lies about a length is refused",
        arguments: [
            "0f 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00",
            "11 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00",
            "00 00 00 00 10 00 00 00 00 00 00 00 00 00 00 00",
            "ff ff ff ff 10 00 00 00 00 00 00 00 00 00 00 00",
            "10 00 00 00 10 00 00 00 00 00 00 00",
            "10",
        ])
    func hostile(_ datagram: String) {
        #expect(throws: Errno.badMessage) { try NetlinkMessage.messages(in: hex(datagram)[...]) }
    }

    @Test("no bytes are no messages")
    func empty() throws {
        #expect(try NetlinkMessage.messages(in: []).isEmpty)
    }

    @Test("attributes after a header longer than the payload are none")
    func attributesBeyond() {
        let message = NetlinkMessage(type: 16, flags: 0, sequence: 0, port: 0, payload: [1, 2, 3])

        #expect(Array(message.attributes(after: 16)).isEmpty)
    }
}

@Suite("Reading acknowledgements")
struct AcknowledgementTests {
    @Test("an error carries its number and the kernel's words, capped")
    func cappedError() throws {
        let datagram = hex(
            """
            44 00 00 00  # length 68
            02 00 00 03  # NLMSG_ERROR, flags NLM_F_CAPPED and NLM_F_ACK_TLVS
            01 00 00 00
            39 30 00 00
            ea ff ff ff  # error -22
            20 00 00 00  # the request's header
            10 00 05 00
            01 00 00 00
            00 00 00 00
            15 00 01 00  # NLMSGERR_ATTR_MSG
            6d 74 75 20  # “mtu too small...”
            74 6f 6f 20
            73 6d 61 6c
            6c 2e 2e 2e
            00 00 00 00
            08 00 02 00  # NLMSGERR_ATTR_OFFS
            20 00 00 00
            """)

        let message = try #require(NetlinkMessage.messages(in: datagram[...]).first)
        let acknowledgement = try #require(Acknowledgement(message))

        #expect(acknowledgement.errno == .invalidArgument)
        #expect(acknowledgement.text == "mtu too small...")
    }

    @Test("an error that gives the request back in full is read behind it")
    func uncappedError() throws {
        let payload = hex(
            """
            ed ff ff ff  # error -19
            14 00 00 00  # the request's header: 20 bytes
            10 00 05 00
            01 00 00 00
            00 00 00 00
            ff ff ff ff  # its payload
            07 00 01 00
            6e 6f 00 00
            """)
        let message = NetlinkMessage(type: 2, flags: 0x200, sequence: 1, port: 1, payload: payload)

        #expect(Acknowledgement(message)?.errno == Errno(rawValue: 19))
        #expect(Acknowledgement(message)?.text == "no")
    }

    @Test("success may carry a warning")
    func warning() {
        let payload = hex(
            "00 00 00 00 14 00 00 00 10 00 05 00 01 00 00 00 00 00 00 00 06 00 01 00 68 69 00 00")
        let message = NetlinkMessage(type: 2, flags: 0x300, sequence: 1, port: 1, payload: payload)

        #expect(Acknowledgement(message)?.errno == nil)
        #expect(Acknowledgement(message)?.text == "hi")
    }

    @Test("the end of a dump may carry an error")
    func done() {
        let failed = NetlinkMessage(
            type: 3, flags: 0x202, sequence: 1, port: 1, payload: hex("a1 ff ff ff 06 00 01 00 6e 6f 00 00"))
        let empty = NetlinkMessage(type: 3, flags: 2, sequence: 1, port: 1, payload: [])

        #expect(Acknowledgement(failed)?.errno == .notSupportedOnSocket)
        #expect(Acknowledgement(failed)?.text == "no")
        #expect(Acknowledgement(empty)?.errno == nil)
    }

    @Test(
        "an error field that is cut off, or no number at all, is not taken for success",
        arguments: ["", "00 00", "00 00 00 00", "00 00 00 00 14 00"])
    func short(_ payload: String) {
        let message = NetlinkMessage(type: 2, flags: 0x300, sequence: 1, port: 1, payload: hex(payload))

        #expect(Acknowledgement(message) == nil)
    }

    @Test("the one error number that cannot be negated is an error all the same")
    func extremeNumber() {
        let payload = hex("00 00 00 80 ff ff ff ff 00 00 00 00 00 00 00 00 00 00 00 00")
        let message = NetlinkMessage(type: 2, flags: 0x200, sequence: 1, port: 1, payload: payload)

        #expect(Acknowledgement(message)?.errno == .ioError)
    }
}
