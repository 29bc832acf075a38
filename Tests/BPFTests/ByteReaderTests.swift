// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BPF

@Suite("Reading bytes that nobody vouches for")
struct ByteReaderTests {
    private let reader = ByteReader([1, 2, 3, 4, 5, 6, 7, 8, 9, 0])

    @Test("integers are little-endian and need not be aligned")
    func integers() {
        #expect(reader.integer(at: 0, as: UInt8.self) == 1)
        #expect(reader.integer(at: 1, as: UInt16.self) == 0x0302)
        #expect(reader.integer(at: 1, as: UInt32.self) == 0x0504_0302)
        #expect(reader.integer(at: 2, as: UInt64.self) == 0x0009_0807_0605_0403)
    }

    @Test("no place outside is read, however large", arguments: [-1, 3, 10, 1 << 40, .max, .min])
    func outside(place: Int) {
        #expect(reader.integer(at: place, as: UInt64.self) == nil)
    }

    @Test("ranges end inside, and sums do not overflow")
    func ranges() {
        #expect(reader.range(at: 0, count: 10) == 0..<10)
        #expect(reader.range(at: 10, count: 0) == 10..<10)
        #expect(reader.range(at: 10, count: 1) == nil)
        #expect(reader.range(at: 11, count: 0) == nil)
        #expect(reader.range(at: .max, count: .max) == nil)
        #expect(reader.range(at: 1, count: .max) == nil)
    }

    @Test("a text needs its end inside its limits")
    func texts() {
        let reader = ByteReader(Array("ab\0cd".utf8))

        #expect(reader.text(at: 0, within: 0..<5) == "ab")
        #expect(reader.text(at: 2, within: 0..<5) == "")
        #expect(reader.text(at: 3, within: 0..<5) == nil)
        #expect(reader.text(at: 0, within: 0..<2) == nil)
        #expect(reader.text(at: 5, within: 0..<5) == nil)
        #expect(reader.text(at: 0, within: 0..<9) == nil)
        #expect(reader.text(at: -1, within: 0..<5) == nil)
    }

    @Test("an empty array has nothing to read")
    func empty() {
        #expect(ByteReader([]).integer(at: 0, as: UInt8.self) == nil)
        #expect(ByteReader([]).range(at: 0, count: 0) == 0..<0)
    }
}
