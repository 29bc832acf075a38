// SPDX-License-Identifier: Apache-2.0
import CPcap

/// A capture file as libpcap reads and writes it.
public enum PcapFile {
    /// A packet, its whole length, and its time.
    public struct Packet: Hashable, Sendable {
        public var bytes: [UInt8]
        public var length: Int
        public var nanoseconds: UInt64

        public init(bytes: [UInt8], length: Int, nanoseconds: UInt64) {
            self.bytes = bytes
            self.length = length
            self.nanoseconds = nanoseconds
        }
    }

    /// The packets of a file; nil if libpcap refuses it.
    public static func read(_ path: String) -> [Packet]? {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard
            let handle = pcap_open_offline_with_tstamp_precision(
                path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &message)
        else { return nil }
        defer { pcap_close(handle) }
        var packets: [Packet] = []
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        while pcap_next_ex(handle, &header, &data) == 1, let header = header?.pointee, let data {
            let bytes = Array(UnsafeBufferPointer(start: data, count: Int(header.caplen)))
            // With that precision the microseconds are nanoseconds.
            let time = UInt64(header.ts.tv_sec) * 1_000_000_000 + UInt64(header.ts.tv_usec)
            packets.append(Packet(bytes: bytes, length: Int(header.len), nanoseconds: time))
        }
        return packets
    }

    /// Writes a pcap file.
    public static func write(_ packets: [Packet], to path: String, isNano: Bool) -> Bool {
        let precision = isNano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO
        guard
            let handle = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65_535, UInt32(precision))
        else { return false }
        defer { pcap_close(handle) }
        guard let dumper = pcap_dump_open(handle, path) else { return false }
        defer { pcap_dump_close(dumper) }
        for packet in packets {
            var header = pcap_pkthdr()
            header.ts.tv_sec = Int(packet.nanoseconds / 1_000_000_000)
            header.ts.tv_usec = Int(packet.nanoseconds % 1_000_000_000 / (isNano ? 1 : 1000))
            header.caplen = UInt32(packet.bytes.count)
            header.len = UInt32(packet.length)
            withUnsafeMutablePointer(to: &header) { header in
                packet.bytes.withUnsafeBufferPointer { bytes in
                    pcap_dump(
                        UnsafeMutableRawPointer(dumper).assumingMemoryBound(to: UInt8.self), header,
                        bytes.baseAddress)
                }
            }
        }
        return true
    }
}
