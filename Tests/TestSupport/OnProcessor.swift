// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Keeps the calling thread on one CPU for a while.
public enum OnProcessor {
    /// The kernel does not let the thread run there.
    public struct Refused: Error {
        public let errno: Int32
    }

    public static func run<T>(_ processor: Int, _ body: () throws -> T) throws -> T {
        var former = cbpf_processors()
        try check(cbpf_get_processors(&former))
        var one = cbpf_processors()
        withUnsafeMutableBytes(of: &one) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt.self)
            words[processor / UInt.bitWidth] = 1 << UInt(processor % UInt.bitWidth)
        }
        try check(cbpf_set_processors(&one))
        defer { _ = cbpf_set_processors(&former) }
        return try body()
    }

    private static func check(_ code: Int32) throws {
        if code != 0 { throw Refused(errno: -code) }
    }
}
