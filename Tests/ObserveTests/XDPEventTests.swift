// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Observe

@Suite("Events")
struct XDPEventTests {
    @Test("kinds have names that can be typed")
    func kinds() {
        for kind in XDPEvent.Kind.allCases {
            #expect(kind.rawValue.allSatisfy { $0.isLetter && $0.isLowercase || $0 == "-" })
        }
    }

    @Test("over a long time like events are one, and those with another text are not")
    func sum() {
        let key = XDPEvent.Key(kind: .devmapTransmit, interface: 3, target: 4)
        var failure = XDPEvent(key: XDPEvent.Key(kind: .attachFailed), time: 5, text: "one")
        var sum = EventSum()
        for time in 1...1000 {
            sum.add([XDPEvent(key: key, time: UInt64(time), count: 2, dropped: 3, sent: 4), failure])
        }
        failure.text = "another"
        sum.add([failure])

        #expect(sum.events.count == 3)
        let last = sum.events.last
        #expect(last?.key == key && last?.time == 1000)
        #expect(last?.count == 2000 && last?.dropped == 3000 && last?.sent == 4000)
        #expect(Set(sum.events.map(\.text)) == ["", "one", "another"])
    }
}
