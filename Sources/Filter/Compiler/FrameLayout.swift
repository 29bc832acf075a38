// SPDX-License-Identifier: Apache-2.0

/// Gives out places on the stack, as offsets from r10.
///
/// What is stored in less than 8 bytes at a place that is not a multiple of 8 is a number of which the verifier
/// remembers nothing. That is wanted: what differs from path to path, such as "no port", must not make it
/// follow each path to the end. So small places begin at byte 2 and 4 of a cell of 8.
struct FrameLayout: Sendable {
    private(set) var depth = 0
    private var freeHalfWords: [Int16] = []
    private var freeWords: [Int16] = []

    /// A multiple of 8 bytes, aligned to 8.
    mutating func bytes(_ count: Int) -> Int16 {
        depth += (count + 7) / 8 * 8
        return Int16(truncatingIfNeeded: -depth)
    }

    /// Two bytes.
    mutating func halfWord() -> Int16 {
        if let free = freeHalfWords.popLast() { return free }
        let cell = bytes(8)
        freeWords.append(cell + 4)
        return cell + 2
    }

    /// Four bytes.
    mutating func word() -> Int16 {
        if let free = freeWords.popLast() { return free }
        let cell = bytes(8)
        freeHalfWords.append(cell + 2)
        return cell + 4
    }
}
