// SPDX-License-Identifier: Apache-2.0
import BPF

/// The configuration of a libxdp dispatcher: the value of its frozen `.rodata` map.
///
/// Up to ten programs in a row; each says after which verdicts the next one runs. Layouts as the protocol of
/// xdp-tools (`protocol.org`, "Dispatcher format") describes them, all little endian on the machines we run on:
///
/// | Offset | Version 1, 84 bytes | Version 2, 124 bytes | Version 3, 128 bytes |
/// |---|---|---|---|
/// | 0 | programs (1) | magic 236 (1) | as 2 |
/// | 1 | – | version (1) | as 2 |
/// | 2 | – | programs (1) | as 2 |
/// | 3 | – | whether all handle frags (1) | as 2 |
/// | 4 | a bit for each verdict that continues, 4 bytes a program | the same | the same |
/// | 44 | run priority, 4 bytes a program | the same | the same |
/// | 84 | end | program flags, 4 bytes a program | the same |
/// | 124 | | end | whether it is bound to a device (1) |
///
/// Version 1 has nothing in it to know it by; its version stands in the BTF of the program only.
public struct DispatcherConfiguration: Sendable, Hashable {
    /// The place of one program.
    public struct Slot: Sendable, Hashable {
        /// After these the next program runs.
        public let continuing: Set<Verdict>
        /// Lower runs earlier.
        public let priority: UInt32
        /// Whether the program says that it handles packets of several buffers; version 1 does not tell.
        public let supportsFrags: Bool?
    }

    public let version: UInt32
    /// Whether the dispatcher handles packets of several buffers; nil where the version does not tell.
    public let supportsFrags: Bool?
    /// The programs in order; nil for a version that is newer than this library.
    public let slots: [Slot]?

    static let magic: UInt8 = 236
    /// Places of a dispatcher.
    static let maximumPrograms = 10
    /// Values of maps that may be a configuration, in bytes.
    static let plausibleSizes = 84...4096
    /// `BPF_F_XDP_HAS_FRAGS` of linux/bpf.h, Linux 5.18.
    private static let fragsFlag: UInt32 = 1 << 5

    /// Reads the value of the map; nil if it is none.
    ///
    /// - Parameter declaredVersion: what the program's BTF says, which is all there is to know version 1 by.
    public init?(_ bytes: [UInt8], declaredVersion: UInt32?) {
        let reader = ByteReader(bytes)
        guard let first: UInt8 = reader.integer(at: 0) else { return nil }
        if first == Self.magic, let version: UInt8 = reader.integer(at: 1), version >= 2 {
            self.version = UInt32(version)
        } else if declaredVersion == 1 {
            version = 1
        } else {
            return nil
        }
        // A dispatcher that calls itself one thing in its code and another in its types is somebody else's.
        if let declaredVersion, declaredVersion != version { return nil }
        let size: Int? =
            switch version {
            case 1: 84
            case 2: 124
            case 3: 128
            default: nil
            }
        guard let size else {
            supportsFrags = nil
            slots = nil
            return
        }
        guard bytes.count == size, let count: UInt8 = reader.integer(at: version == 1 ? 0 : 2),
            Int(count) <= Self.maximumPrograms
        else { return nil }
        let tellsFrags = version >= 2
        supportsFrags = tellsFrags ? bytes[3] != 0 : nil
        slots = (0..<Int(count)).map { place in
            let actions: UInt32 = reader.integer(at: 4 + place * 4) ?? 0
            let flags: UInt32 = reader.integer(at: 84 + place * 4) ?? 0
            return Slot(
                continuing: Set(Verdict.allCases.filter { actions >> $0.rawValue & 1 == 1 }),
                priority: reader.integer(at: 44 + place * 4) ?? 0,
                supportsFrags: tellsFrags ? flags & Self.fragsFlag != 0 : nil)
        }
    }
}
