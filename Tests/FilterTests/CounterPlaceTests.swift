// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Filter

@Suite("Places of rule counters")
struct CounterPlaceTests {
    @Test("numbers and places lead to each other, and pages double")
    func roundTrip() {
        for number in 0..<5000 { #expect(CounterPlace(number: number).number == number) }
        #expect(CounterPlace(number: 63) == CounterPlace(page: 0, place: 63))
        #expect(CounterPlace(number: 64) == CounterPlace(page: 1, place: 0))
        #expect(CounterPlace(number: 191) == CounterPlace(page: 1, place: 127))
        #expect(CounterPlace(number: 192) == CounterPlace(page: 2, place: 0))
    }
}
