// SPDX-License-Identifier: Apache-2.0

/// The values from which random expressions of pcap and the frames for them are made: few enough that they meet.
struct PcapWorld {
    var random: FilterWorld

    init(seed: UInt64) {
        random = FilterWorld(random: SeededGenerator(seed: seed))
    }

    static let ports: [UInt16] = [0, 22, 53, 80, 443, 1023, 6081, 65_535]
    static let tags: [UInt16] = [0, 1, 5, 100, 4095]
    static let labels: [UInt32] = [0, 3, 16, 1000, 0xfffff]
    static let etherTypes: [UInt16] = [
        0x0800, 0x86dd, 0x0806, 0x8035, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864, 0x88b5,
        0x809b,
        0x80f3, 0x6003, 0x6004, 0x6007, 0x6001, 0x6002, 0x8137, 0x05dc, 0x05dd, 0x0600, 0,
    ]
    static let protocols: [UInt8] = [
        1, 2, 6, 17, 58, 132, 50, 51, 103, 112, 9, 41, 47, 4, 0, 43, 44, 60, 59, 255,
    ]

    mutating func mac() -> [UInt8] {
        random.choose([
            [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [1, 0, 0x5e, 0, 0, 1], [1, 0x80, 0xc2, 0, 0, 0], [0x33, 0x33, 0, 0, 0, 1], [2, 0, 0, 0, 1, 1],
        ])
    }

    mutating func four() -> [UInt8] {
        random.choose([
            [192, 0, 2, 7], [192, 0, 2, 8], [10, 0, 0, 1], [10, 0, 1, 1], [224, 0, 0, 1],
            [255, 255, 255, 255],
            [0, 0, 0, 0], [198, 51, 100, random.choose(0...255)],
        ])
    }

    mutating func six() -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: 8)
        let head: [UInt8] = random.choose([
            [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0], [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1],
            [0xfe, 0x80, 0, 0, 0, 0, 0, 0],
            [0xff, 2, 0, 0, 0, 0, 0, 0],
        ])
        return head + zeros.dropLast() + [random.choose(1...3)]
    }

    mutating func port() -> UInt16 {
        random.oneIn(10) ? random.choose(0...UInt16.max) : random.choose(Self.ports)
    }

    static func text(four: [UInt8]) -> String { four.map(String.init).joined(separator: ".") }

    static func text(six: [UInt8]) -> String {
        stride(from: 0, to: 16, by: 2).map {
            String(UInt16(six[$0]) << 8 | UInt16(six[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }

    static func text(mac: [UInt8]) -> String {
        mac.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
