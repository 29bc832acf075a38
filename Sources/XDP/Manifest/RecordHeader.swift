// SPDX-License-Identifier: Apache-2.0
import BPF

/// What stands before everything that is kept beside a program.
///
/// | Bytes | |
/// |---|---|
/// | 8 | what kind of record it is |
/// | 4 | version |
/// | 4 | length of what follows the checksum |
/// | 8 | FNV-1a of what follows |
package struct RecordHeader: Sendable {
    package static let size = 24

    /// Eight bytes.
    let kind: [UInt8]
    /// The version that is written; older ones are read.
    let version: UInt32

    package init(_ kind: String, version: UInt32) {
        self.kind = Array(kind.utf8)
        self.version = version
    }

    /// The bytes of a record: this header, then its body.
    package func sealed(_ body: ManifestWriter) -> [UInt8] {
        var header = ManifestWriter()
        header.bytes = kind
        header.write(version)
        header.write(UInt32(body.bytes.count))
        header.write(Self.checksum(body.bytes[...]))
        return header.bytes + body.bytes
    }

    /// The version of a record that has a body.
    package func version(of bytes: [UInt8]) -> UInt32 {
        ByteReader(bytes).integer(at: 8) ?? version
    }

    /// Where the body stands; bytes behind the stated length are ignored.
    package func body(of bytes: [UInt8]) throws(Manifest.Unreadable) -> Range<Int> {
        let reader = ByteReader(bytes)
        guard bytes.count >= Self.size, Array(bytes[..<8]) == kind,
            let version: UInt32 = reader.integer(at: 8), let length: UInt32 = reader.integer(at: 12),
            let checksum: UInt64 = reader.integer(at: 16)
        else { throw .foreign }
        guard version <= self.version else { throw .newer(version) }
        guard let range = reader.range(at: UInt64(Self.size), count: UInt64(length)),
            Self.checksum(bytes[range]) == checksum
        else { throw .damaged }
        return range
    }

    /// FNV-1a, 64 bits: finds accidents, not malice; whoever can write the map can attach programs too.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBufferPointer { buffer in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in buffer { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return hash
        }
    }
}
