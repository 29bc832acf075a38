// SPDX-License-Identifier: Apache-2.0

/// The memory that an ``Interpreter`` sees: regions at fixed addresses, nothing between them.
public struct InterpreterMemory: Sendable {
    /// Bytes at an address.
    public struct Region: Hashable, Sendable {
        /// The address of the first byte.
        public let address: UInt64
        /// The bytes.
        public var bytes: [UInt8]

        /// Bytes at an address.
        public init(address: UInt64, bytes: [UInt8]) {
            self.address = address
            self.bytes = bytes
        }
    }

    /// The regions; they should not overlap.
    public var regions: [Region]

    /// A memory of these regions.
    public init(_ regions: [Region] = []) {
        self.regions = regions
    }

    /// The little-endian number of up to eight bytes at an address; nil if they are not in one region.
    public func load(_ address: UInt64, bytes: Int) -> UInt64? {
        guard let (region, start) = find(address, bytes) else { return nil }
        return (0..<bytes).reduce(0) { $0 | UInt64(regions[region].bytes[start + $1]) << UInt64(8 * $1) }
    }

    /// Writes a number as up to eight little-endian bytes; false if they are not in one region.
    public mutating func store(_ value: UInt64, _ address: UInt64, bytes: Int) -> Bool {
        guard let (region, start) = find(address, bytes) else { return false }
        for place in 0..<bytes {
            regions[region].bytes[start + place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * place))
        }
        return true
    }

    private func find(_ address: UInt64, _ bytes: Int) -> (region: Int, start: Int)? {
        for (number, region) in regions.enumerated() where address >= region.address {
            let start = address - region.address
            if start <= UInt64(region.bytes.count), UInt64(region.bytes.count) - start >= UInt64(bytes) {
                return (number, Int(start))
            }
        }
        return nil
    }
}
