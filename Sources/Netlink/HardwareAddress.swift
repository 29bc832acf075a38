// SPDX-License-Identifier: Apache-2.0

/// A link-layer address in the order of transmission; six bytes on Ethernet.
public struct HardwareAddress: Hashable, Sendable {
    /// The bytes, first on the wire first.
    public let bytes: [UInt8]

    /// An address of these bytes.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// Reads `02:00:00:00:00:01`: two hexadecimal digits a byte, colons between; nil for anything else.
    public init?(parsing text: String) {
        var bytes: [UInt8] = []
        for part in text.split(separator: ":", omittingEmptySubsequences: false) {
            guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16)
            else { return nil }
            bytes.append(byte)
        }
        self.bytes = bytes
    }
}

extension HardwareAddress: CustomStringConvertible {
    /// `02:00:00:00:00:01`.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
