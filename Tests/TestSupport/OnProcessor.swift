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
        try keep(0, on: processor)
        defer { _ = cbpf_set_processors(0, &former) }
        return try body()
    }

    /// Keeps a thread there for good; 0 is the calling one.
    public static func keep(_ thread: Int32, on processor: Int) throws {
        var one = cbpf_processors()
        withUnsafeMutableBytes(of: &one) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt.self)
            words[processor / UInt.bitWidth] = 1 << UInt(processor % UInt.bitWidth)
        }
        try check(cbpf_set_processors(thread, &one))
    }

    private static func check(_ code: Int32) throws {
        if code != 0 { throw Refused(errno: -code) }
    }
}
