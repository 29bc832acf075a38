// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Netlink

@Suite("Collecting replies")
struct ReplyCollectorTests {
    @Test("parts are collected in order up to the end")
    func parts() throws {
        var collector = ReplyCollector(sequence: 7, port: 9)

        let ends = try [part(1), part(2), done()].map { try collector.take($0) }

        #expect(ends == [false, false, true])
        #expect(collector.replies.map(\.payload) == [[1], [2]])
        #expect(collector.isConsistent)
    }

    @Test("messages of other requests, other sockets and notifications are skipped")
    func strangers() throws {
        var collector = ReplyCollector(sequence: 7, port: 9)
        let strangers = [
            part(1, sequence: 6), part(2, port: 8), part(3, sequence: 0, port: 0), done(sequence: 6),
            refusal(sequence: 6),
        ]

        let ends = try strangers.map { try collector.take($0) }

        #expect(ends.allSatisfy { !$0 })
        #expect(collector.replies.isEmpty)
    }

    @Test("a dump is inconsistent when any part says so, also the last", arguments: 0..<3)
    func interrupted(_ interrupted: Int) throws {
        var collector = ReplyCollector(sequence: 7, port: 9)
        var messages = [part(1), part(2), done()]
        messages[interrupted].flags |= 0x10

        for message in messages { _ = try collector.take(message) }

        #expect(!collector.isConsistent)
    }

    @Test("an error ends the exchange")
    func error() {
        var collector = ReplyCollector(sequence: 7, port: 9)

        #expect(throws: ReplyCollector.Refusal(errno: .permissionDenied)) {
            try collector.take(refusal())
        }
    }

    @Test("an acknowledgement that cannot be read is an error, not success")
    func malformed() {
        var collector = ReplyCollector(sequence: 7, port: 9)
        var message = refusal()
        message.payload = [0, 0]

        #expect(throws: ReplyCollector.Refusal(errno: .badMessage)) { try collector.take(message) }
    }

    @Test("lost data is an error, and a message without meaning is none")
    func overrun() throws {
        var collector = ReplyCollector(sequence: 7, port: 9)
        let overrun = NetlinkMessage(type: 4, flags: 0, sequence: 7, port: 9, payload: [])
        let nothing = NetlinkMessage(type: 1, flags: 0, sequence: 7, port: 9, payload: [])

        #expect(try !collector.take(nothing))
        #expect(throws: ReplyCollector.Refusal(errno: .noBufferSpace)) { try collector.take(overrun) }
    }

    private func part(_ byte: UInt8, sequence: UInt32 = 7, port: UInt32 = 9) -> NetlinkMessage {
        NetlinkMessage(type: 16, flags: 2, sequence: sequence, port: port, payload: [byte])
    }

    private func done(sequence: UInt32 = 7) -> NetlinkMessage {
        NetlinkMessage(type: 3, flags: 2, sequence: sequence, port: 9, payload: [0, 0, 0, 0])
    }

    private func refusal(sequence: UInt32 = 7) -> NetlinkMessage {
        let payload = hex("f3 ff ff ff 10 00 00 00 10 00 05 00 07 00 00 00 00 00 00 00")
        return NetlinkMessage(type: 2, flags: 0x100, sequence: sequence, port: 9, payload: payload)
    }
}
