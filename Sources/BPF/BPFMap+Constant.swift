// SPDX-License-Identifier: Apache-2.0
import CBPF

extension BPFMap {
    /// The only value of a map that nobody can change any more: it is read-only for programs
    /// (`BPF_F_RDONLY_PROG`) and frozen (kernel 5.2). Nil for every other map.
    public borrowing func constantValue() throws(BPFError) -> [UInt8]? {
        let definition = try information().definition
        guard definition.type == .array, definition.maximumEntries == 1,
            definition.flags & UInt32(BPF_F_RDONLY_PROG) != 0, isFrozen()
        else { return nil }
        return try lookup([0, 0, 0, 0], valueSize: Int(definition.valueSize))
    }

    /// Whether user space can no longer write. Only /proc says so.
    private borrowing func isFrozen() -> Bool {
        let bytes = SmallFile.bytes(of: "/proc/self/fdinfo/\(descriptor.rawValue)")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.first == "frozen:" && words.last == "1"
        }
    }
}
