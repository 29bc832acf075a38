// SPDX-License-Identifier: Apache-2.0

/// The smallest BTF that gives a program functions with names and instructions with source lines.
///
/// One integer, one prototype `int (void)` and one static function for each name: every kernel from 5.10
/// takes it as it is, where the full BTF of an object would have to be cut to what that kernel knows. It is
/// enough for callbacks, timers and tail calls in subprograms, for the verifier's source lines and for
/// `bpftool prog dump xlated linum`.
///
/// | Part | Layout (Documentation/bpf/btf.rst of the kernel, little endian) |
/// |---|---|
/// | header | magic 0xeb9f (2), version 1 (1), flags (1), length 24 (4), type offset and length, string offset and length (4 each) |
/// | type | name offset (4), info: kind 24–28, count 0–15 (4), size or type (4), then by kind |
/// | function record | instruction (4), type id of the function (4) |
/// | line record | instruction (4), file name (4), line text (4), line << 10 or column (4) |
public struct DebugInformation: Sendable {
    /// A function and where it starts, in instructions.
    public struct Function: Hashable, Sendable {
        public var instruction: Int
        public var name: String

        public init(instruction: Int, name: String) {
            self.instruction = instruction
            self.name = name
        }
    }

    /// A source line and the first instruction that belongs to it.
    public struct Line: Hashable, Sendable {
        public var instruction: Int
        public var file: String
        public var text: String
        /// Line << 10 | column, as BTF has it.
        public var position: UInt32

        public init(instruction: Int, file: String, text: String, position: UInt32) {
            self.instruction = instruction
            self.file = file
            self.text = text
            self.position = position
        }
    }

    /// The BTF to be loaded.
    public let btf: [UInt8]
    /// 8 bytes for each function.
    public let functionRecords: [UInt8]
    /// 16 bytes for each line.
    public let lineRecords: [UInt8]

    /// Bytes of one record.
    static let functionRecordSize: UInt32 = 8
    static let lineRecordSize: UInt32 = 16

    public init(functions: [Function], lines: [Line]) {
        var strings = StringTable()
        var types = ByteWriter()
        let kindInteger: UInt32 = 1
        let kindFunction: UInt32 = 12
        let kindPrototype: UInt32 = 13
        types.append(strings.offset(of: "int"), kindInteger << 24, 4 as UInt32)
        types.append(1 << 24 | 32 as UInt32)  // signed, 32 bits
        types.append(0 as UInt32, kindPrototype << 24, 1 as UInt32)  // id 2: int (void)
        var functionRecords = ByteWriter()
        for (place, function) in functions.enumerated() {
            // Linkage 0 is static: the verifier follows the function from its callers.
            types.append(strings.offset(of: Self.identifier(function.name)), kindFunction << 24, 2 as UInt32)
            functionRecords.append(UInt32(truncatingIfNeeded: function.instruction), UInt32(3 + place))
        }
        var lineRecords = ByteWriter()
        for line in lines {
            lineRecords.append(
                UInt32(truncatingIfNeeded: line.instruction), strings.offset(of: line.file),
                strings.offset(of: line.text))
            lineRecords.append(line.position)
        }
        var header = ByteWriter()
        header.bytes = [0x9f, 0xeb, 1, 0]
        header.append(24 as UInt32, 0 as UInt32, UInt32(types.bytes.count))
        header.append(UInt32(types.bytes.count), UInt32(strings.bytes.count))
        self.btf = header.bytes + types.bytes + strings.bytes
        self.functionRecords = functionRecords.bytes
        self.lineRecords = lineRecords.bytes
    }

    /// The kernel takes C identifiers of at most 127 bytes for functions.
    private static func identifier(_ name: String) -> String {
        var bytes: [UInt8] = []
        for byte in name.utf8.prefix(127) {
            let isLetter = (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
            let isDigit = (0x30...0x39).contains(byte)
            if isDigit, bytes.isEmpty { bytes.append(0x5f) }
            bytes.append(isLetter || isDigit ? byte : 0x5f)
        }
        return bytes.isEmpty ? "anonymous" : String(decoding: bytes, as: UTF8.self)
    }
}

/// NUL-terminated strings one after the other, each once; the empty one at offset 0.
private struct StringTable {
    private(set) var bytes: [UInt8] = [0]
    private var offsets: [String: UInt32] = ["": 0]

    mutating func offset(of text: String) -> UInt32 {
        if let known = offsets[text] { return known }
        let offset = UInt32(bytes.count)
        // A NUL inside would end the string early.
        bytes.append(contentsOf: text.utf8.filter { $0 != 0 })
        bytes.append(0)
        offsets[text] = offset
        return offset
    }
}

/// Little-endian 32-bit fields in a row.
private struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func append(_ fields: UInt32...) {
        for field in fields {
            withUnsafeBytes(of: field.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }
}
