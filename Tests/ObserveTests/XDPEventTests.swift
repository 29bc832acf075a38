// SPDX-License-Identifier: Apache-2.0
import Observe
import Testing

@Suite("Events")
struct XDPEventTests {
    @Test("kinds have names that can be typed")
    func kinds() {
        for kind in XDPEvent.Kind.allCases {
            #expect(kind.rawValue.allSatisfy { $0.isLetter && $0.isLowercase || $0 == "-" })
        }
    }
}
