// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Writes a netlink message: header, fixed part, attributes, all aligned to four bytes, in host byte order.
///
///     var message = MessageBuilder(type: RTM_SETLINK)
///     message.append(header)
///     message.nest(IFLA_XDP) { xdp in
///         xdp.attribute(IFLA_XDP_FD, int32: program)
///     }
///
/// What cannot be written (a value beyond 65 531 bytes, a text with a NUL) is remembered and thrown by
/// whoever sends the message, so that the building reads straight down.
public struct MessageBuilder: Hashable, Sendable {
    private var bytes: [UInt8]
    /// What could not be written, if anything.
    public private(set) var failure: Errno?

    /// Begins a message.
    ///
    /// - Parameters:
    ///   - type: `RTM_…`, or the number of a generic family.
    ///   - flags: `NLM_F_…` beside those that the socket adds (request, acknowledgement, dump).
    public init(type: Int, flags: CInt = 0) {
        let header = nlmsghdr(
            nlmsg_len: 0, nlmsg_type: UInt16(truncatingIfNeeded: type),
            nlmsg_flags: UInt16(truncatingIfNeeded: flags), nlmsg_seq: 0, nlmsg_pid: 0)
        bytes = withUnsafeBytes(of: header) { Array($0) }
    }

    /// Appends a fixed part, such as `ifinfomsg`, and pads it.
    public mutating func append<Part: BitwiseCopyable>(_ part: Part) {
        withUnsafeBytes(of: part) { bytes.append(contentsOf: $0) }
        pad()
    }

    /// Appends an attribute without a value: a flag.
    public mutating func attribute(_ type: Int) {
        write(type) { _ in }
    }

    /// Appends an attribute of one byte.
    public mutating func attribute(_ type: Int, uint8 value: UInt8) {
        write(type) { $0.append(value) }
    }

    /// Appends an attribute of two bytes in host byte order.
    public mutating func attribute(_ type: Int, uint16 value: UInt16) {
        attribute(type, raw: value)
    }

    /// Appends an attribute of four bytes in host byte order.
    public mutating func attribute(_ type: Int, uint32 value: UInt32) {
        attribute(type, raw: value)
    }

    /// Appends a signed attribute of four bytes in host byte order, such as a descriptor.
    public mutating func attribute(_ type: Int, int32 value: Int32) {
        attribute(type, raw: value)
    }

    /// Appends an attribute of eight bytes in host byte order.
    public mutating func attribute(_ type: Int, uint64 value: UInt64) {
        attribute(type, raw: value)
    }

    /// Appends text with a NUL at its end.
    public mutating func attribute(_ type: Int, string value: String) {
        if value.utf8.contains(0) { failure = failure ?? .invalidArgument }
        write(type) {
            $0.append(contentsOf: value.utf8)
            $0.append(0)
        }
    }

    /// Appends bytes as they are.
    public mutating func attribute(_ type: Int, bytes value: some Sequence<UInt8>) {
        write(type) { $0.append(contentsOf: value) }
    }

    /// Appends an attribute that holds what `body` appends; marked with `NLA_F_NESTED`.
    public mutating func nest<Failure: Error>(
        _ type: Int, _ body: (inout MessageBuilder) throws(Failure) -> Void
    ) throws(Failure) {
        let start = begin(type | Int(Attributes.Iterator.nestedFlag))
        try body(&self)
        end(start)
    }

    /// The finished message, or what could not be written.
    ///
    /// - Parameters:
    ///   - sequence: the number by which the replies are known.
    ///   - flags: `NLM_F_…` to add.
    public func encoded(sequence: UInt32 = 0, adding flags: CInt = 0) throws(Errno) -> [UInt8] {
        if let failure { throw failure }
        var encoded = bytes
        encoded.withUnsafeMutableBytes { buffer in
            let old = buffer.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
            buffer.storeBytes(of: UInt32(truncatingIfNeeded: buffer.count), as: UInt32.self)
            buffer.storeBytes(
                of: old | UInt16(truncatingIfNeeded: flags), toByteOffset: 6, as: UInt16.self)
            buffer.storeBytes(of: sequence, toByteOffset: 8, as: UInt32.self)
        }
        return encoded
    }

    private mutating func attribute(_ type: Int, raw value: some BitwiseCopyable) {
        write(type) { bytes in withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
    }

    private mutating func write(_ type: Int, _ value: (inout [UInt8]) -> Void) {
        let start = begin(type)
        value(&bytes)
        end(start)
    }

    /// Writes an attribute's header with an open length; returns where it starts.
    private mutating func begin(_ type: Int) -> Int {
        let start = bytes.count
        let header = nlattr(nla_len: 0, nla_type: UInt16(truncatingIfNeeded: type))
        withUnsafeBytes(of: header) { bytes.append(contentsOf: $0) }
        return start
    }

    /// Fills in the length of the attribute that starts at `start`, and pads.
    private mutating func end(_ start: Int) {
        guard let length = UInt16(exactly: bytes.count - start) else {
            failure = failure ?? .messageTooLong
            return
        }
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt16.self) }
        pad()
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 {
            bytes.append(0)
        }
    }
}
