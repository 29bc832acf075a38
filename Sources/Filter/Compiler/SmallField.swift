// SPDX-License-Identifier: Apache-2.0

/// Fields that tables are made for: numbers of up to 16 bits, and one number beyond the largest for "the packet
/// has none", so that being absent is a value like the others.
enum SmallField: Hashable, Sendable {
    case number(NumberField)
    case tcpFlags
    /// ``whole``, ``firstFragment`` or ``laterFragment``; never absent.
    case fragment

    static let whole: UInt32 = 1
    static let firstFragment: UInt32 = 2
    static let laterFragment: UInt32 = 3

    static let all: [SmallField] = NumberField.allCases.map(SmallField.number) + [.tcpFlags, .fragment]

    var maximum: UInt32 {
        switch self {
        case .number(let field): field.maximum
        case .tcpFlags: 255
        case .fragment: Self.laterFragment
        }
    }

    /// The number of packets without the field.
    var absent: UInt32 { maximum + 1 }

    /// Its place among ``all``, for orders that do not depend on hashing.
    var order: Int { Self.all.firstIndex(of: self) ?? 0 }

    /// Whether ``ClassTable``s have the number's two bytes as they are in the packet for their index.
    var isKeyedByWireOrder: Bool {
        switch self {
        case .number(.etherType), .number(.sourcePort), .number(.destinationPort): true
        default: false
        }
    }

    /// How a class is found from what stands in the packet: the number behind each index of the table.
    var tableNumbers: [UInt32] {
        switch self {
        case .number(.dscp): (0..<256).map { $0 >> 2 }
        case _ where isKeyedByWireOrder: (0...0xffff).map { UInt32(UInt16($0).byteSwapped) }
        default: Array(0...maximum)
        }
    }
}
