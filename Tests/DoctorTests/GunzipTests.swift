// SPDX-License-Identifier: Apache-2.0
import CBPF
import Testing

@testable import Doctor

/// Unpacking of what nobody vouches for. Any user may run these.
@Suite("Unpacking of a kernel's configuration")
struct GunzipTests {
    /// Packs bytes as gzip does.
    static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(&stream, 9, Z_DEFLATED, 15 + 16, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let count = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                _ = deflate(&stream, Z_FINISH)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(output.prefix(count))
    }

    private func failure(_ packed: [UInt8], limit: Int = 1 << 20) -> Gunzip.Failure? {
        do throws(Gunzip.Failure) {
            _ = try Gunzip.unpack(packed, limit: limit)
            return nil
        } catch {
            return error
        }
    }

    @Test("what was packed comes out again", arguments: [0, 1, 100, 65535, 65536, 65537, 300_000])
    func whole(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try Gunzip.unpack(Self.pack(bytes), limit: 1 << 20) == bytes)
        #expect(try Gunzip.unpack(Self.pack(bytes) + [1, 2, 3], limit: count) == bytes)
    }

    @Test("a packed text that was cut is told, wherever it was cut")
    func cut() {
        let packed = Self.pack(Array("CONFIG_BPF=y\nCONFIG_NET=y\n".utf8))
        for length in 0..<packed.count { #expect(failure(Array(packed.prefix(length))) == .cut, "\(length)") }
    }

    @Test("no flipped bit goes unseen in the text")
    func damaged() {
        let text = Array("CONFIG_BPF=y\nCONFIG_NET=y\n".utf8)
        let packed = Self.pack(text)
        for place in packed.indices {
            for bit in 0..<8 {
                var changed = packed
                changed[place] ^= 1 << UInt8(bit)
                // Flags and times in the head may change; the text may not.
                if let unpacked = try? Gunzip.unpack(changed, limit: 1 << 20) { #expect(unpacked == text) }
            }
        }
        #expect(failure(Array("CONFIG_BPF=y\n".utf8)) == .damaged)
    }

    @Test("a small file that would fill the memory stops at the bound")
    func bomb() {
        let packed = Self.pack([UInt8](repeating: 0, count: 64 << 20))
        #expect(packed.count < 100_000)
        #expect(failure(packed, limit: 8 << 20) == .tooLong)
        #expect(failure(Self.pack([1, 2, 3]), limit: 2) == .tooLong)
    }

    @Test("a packed configuration is read, and a damaged one says what it is")
    func configuration() {
        let packed = Self.pack(Array("CONFIG_BPF=y\n".utf8))

        #expect(ConfigurationSearch.configuration("/proc/config.gz", packed).value?["CONFIG_BPF"] == "y")
        #expect(
            ConfigurationSearch.configuration("/proc/config.gz", Array(packed.dropLast()))
                == .unknown("/proc/config.gz ends too early"))
        #expect(
            ConfigurationSearch.configuration("/boot/config", packed)
                == .unknown("/boot/config is no kernel's configuration"))
    }
}
