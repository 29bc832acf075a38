// SPDX-License-Identifier: Apache-2.0

/// A set of what libpcap's machine keeps: A, X and the words of its memory.
struct ClassicPlaces: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    static let accumulator = ClassicPlaces(rawValue: 1)
    static let index = ClassicPlaces(rawValue: 2)
    static func memory(_ place: Int) -> ClassicPlaces { ClassicPlaces(rawValue: 4 << UInt32(place)) }

    static func register(_ register: ClassicRegister) -> ClassicPlaces {
        register == .accumulator ? .accumulator : .index
    }
}

extension ClassicOperation {
    var reads: ClassicPlaces {
        switch self {
        case .constant, .headerLength, .length, .goto, .returnConstant: []
        case .packet(_, _, let isIndexed): isIndexed ? .index : []
        case .load(_, let place): .memory(place)
        case .store(let register, _): .register(register)
        case .arithmetic(_, let operand), .branch(_, let operand):
            operand == .index ? [.accumulator, .index] : .accumulator
        case .negate, .copyToIndex, .returnAccumulator: .accumulator
        case .copyToAccumulator: .index
        }
    }

    var writes: ClassicPlaces {
        switch self {
        case .constant(let register, _), .length(let register), .load(let register, _): .register(register)
        case .packet, .arithmetic, .negate, .copyToAccumulator: .accumulator
        case .headerLength, .copyToIndex: .index
        case .store(_, let place): .memory(place)
        case .goto, .branch, .returnConstant, .returnAccumulator: []
        }
    }
}
