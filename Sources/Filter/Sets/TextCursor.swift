// SPDX-License-Identifier: Apache-2.0

/// A place in the bytes of a line that is read from left to right.
struct TextCursor {
    let start: UnsafePointer<UInt8>
    var place: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // Only an empty line has no address.
        start = bytes.baseAddress ?? UnsafePointer(bitPattern: 8).unsafelyUnwrapped
        place = start
        end = start + bytes.count
    }

    var isAtEnd: Bool { place == end }
    /// The byte here, 0 at the end.
    var byte: UInt8 { place < end ? place.pointee : 0 }
    /// Which byte of the line is next, from 1.
    var column: Int { place - start + 1 }

    mutating func skipBlanks() {
        while place < end, place.pointee == 32 || place.pointee == 9 { place += 1 }
    }

    /// Steps over a byte if it is the next one.
    mutating func take(_ byte: UInt8) -> Bool {
        guard place < end, place.pointee == byte else { return false }
        place += 1
        return true
    }

    /// A word of letters, digits and what names of interfaces have; empty if there is none.
    mutating func word() -> UnsafeBufferPointer<UInt8> {
        let first = place
        while place < end {
            switch place.pointee {
            case 0...32, 35, 44, 59, 127: return UnsafeBufferPointer(start: first, count: place - first)
            default: place += 1
            }
        }
        return UnsafeBufferPointer(start: first, count: place - first)
    }

    /// A decimal number of at most `limit`; nil, and nothing read, for anything else.
    mutating func number(upTo limit: UInt64) -> UInt64? {
        let first = place
        var value: UInt64 = 0
        while place < end, case let digit = place.pointee &- 48, digit < 10 {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, exceeds) = product.addingReportingOverflow(UInt64(digit))
            guard !overflows, !exceeds, sum <= limit else {
                place = first
                return nil
            }
            value = sum
            place += 1
        }
        return place == first ? nil : value
    }

    /// The bytes up to the next one that no address has.
    mutating func addressBytes() -> UnsafeBufferPointer<UInt8> {
        let first = place
        while place < end {
            switch place.pointee {
            case 48...58, 46, 65...70, 97...102: place += 1
            default: return UnsafeBufferPointer(start: first, count: place - first)
            }
        }
        return UnsafeBufferPointer(start: first, count: place - first)
    }
}
