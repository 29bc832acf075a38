// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Unpacks gzip (RFC 1952) with zlib, to a bound.
public enum Gunzip {
    public enum Failure: Error, Sendable, Hashable {
        /// It is no gzip, or it is damaged.
        case damaged
        /// It ends before it is complete.
        case cut
        /// It would unpack to more than the bound.
        case tooLong
        case noMemory

        /// To be read after "it".
        var description: String {
            switch self {
            case .damaged: "is damaged"
            case .cut: "ends too early"
            case .tooLong: "unpacks to more than a kernel's configuration has"
            case .noMemory: "cannot be unpacked: out of memory"
            }
        }
    }

    /// The bytes that were packed; what stands behind the first packed stream is not looked at.
    public static func unpack(_ packed: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
        // Input is given by a pointer that has to stay where it is.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(packed.count, 1))
        defer { input.deallocate() }
        _ = input.initialize(from: packed)
        let piece = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64 << 10)
        defer { piece.deallocate() }
        var stream = z_stream()
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(clamping: packed.count)
        // 15 bits of window; 16 more: with the header and the check sum of gzip.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else { throw .noMemory }
        defer { inflateEnd(&stream) }
        var bytes: [UInt8] = []
        while true {
            stream.next_out = piece.baseAddress
            stream.avail_out = UInt32(piece.count)
            let result = inflate(&stream, Z_NO_FLUSH)
            bytes += piece.prefix(piece.count - Int(stream.avail_out))
            guard bytes.count <= limit else { throw .tooLong }
            switch result {
            case Z_STREAM_END: return bytes
            case Z_OK where stream.avail_in > 0 || stream.avail_out == 0: continue
            // All input is used, and there was room: it does not go on.
            case Z_OK, Z_BUF_ERROR: throw .cut
            case Z_MEM_ERROR: throw .noMemory
            default: throw .damaged
            }
        }
    }
}
