// SPDX-License-Identifier: Apache-2.0

/// Appends fields in the manifest's form: little-endian integers, counted texts and arrays.
package struct ManifestWriter {
    package var bytes: [UInt8] = []

    package init() {}

    package mutating func write<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func write(_ text: String) {
        write(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func write(_ array: [UInt8]) {
        write(UInt32(array.count))
        bytes.append(contentsOf: array)
    }

    /// A count, then each element.
    package mutating func write<Element>(
        each elements: [Element], _ body: (inout ManifestWriter, Element) -> Void
    ) {
        write(UInt32(elements.count))
        for element in elements { body(&self, element) }
    }
}
