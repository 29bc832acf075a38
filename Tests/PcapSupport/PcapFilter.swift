// SPDX-License-Identifier: Apache-2.0
import CPcap
import Synchronization

/// A filter expression of pcap, compiled by libpcap and run by its interpreter on Ethernet frames.
public final class PcapFilter {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private var program = pcap_bpf_program()
    /// The optimiser found out that the expression is true of no packet, which is an error to libpcap.
    private let rejectsAll: Bool

    /// libpcap's scanner keeps state that is not a handle's.
    private static let compiling = Mutex(())

    /// Compiles an expression.
    public init(_ expression: String, isOptimised: Bool) throws(Failure) {
        var program = pcap_bpf_program()
        let complaint: String? = Self.compiling.withLock { _ in
            guard let handle = pcap_open_dead(DLT_EN10MB, 65_535) else { return "no handle" }
            defer { pcap_close(handle) }
            let status = pcap_compile(handle, &program, expression, isOptimised ? 1 : 0, ~0)
            return status == 0 ? nil : String(cString: pcap_geterr(handle))
        }
        rejectsAll = complaint == "expression rejects all packets"
        if let complaint, !rejectsAll { throw Failure(description: "\(complaint): \(expression)") }
        self.program = program
    }

    deinit {
        pcap_freecode(&program)
    }

    /// Whether the expression is true of a frame of which these bytes are there.
    public func matches(_ bytes: [UInt8], length: Int? = nil) -> Bool {
        guard !rejectsAll else { return false }
        var header = pcap_pkthdr()
        header.caplen = UInt32(bytes.count)
        header.len = UInt32(length ?? bytes.count)
        return pcap_offline_filter(&program, &header, bytes) != 0
    }
}
