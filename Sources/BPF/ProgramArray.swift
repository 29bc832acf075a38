// SPDX-License-Identifier: Apache-2.0

/// Program arrays: what tail calls lead to. The kernel empties one when its last descriptor or pin goes,
/// whatever programs refer to it.
extension BPFMap {
    /// What an array of so many places is made from.
    public static func programArray(_ name: String, places: Int) -> MapDefinition {
        MapDefinition(
            name: name, type: .programArray, keySize: 4, valueSize: 4,
            maximumEntries: UInt32(clamping: places))
    }

    /// Puts a program into a place; packets meet it from the next tail call on.
    ///
    /// The kernel takes only programs that agree with those that use the array in what they were loaded for and
    /// in the handling of several buffers (EINVAL), and none that another program replaced in part (EBUSY, Linux
    /// 6.13).
    public borrowing func setProgram(_ program: borrowing Program, at place: Int) throws(BPFError) {
        let number = program.descriptor.rawValue
        try update(Self.key(place), to: withUnsafeBytes(of: number) { Array($0) })
    }

    /// The id of the program in a place; nil where there is none.
    public borrowing func programID(at place: Int) throws(BPFError) -> UInt32? {
        guard let value = try lookup(Self.key(place), valueSize: 4) else { return nil }
        return ByteReader(value).integer(at: 0)
    }

    private static func key(_ place: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(clamping: place)) { Array($0) }
    }
}
