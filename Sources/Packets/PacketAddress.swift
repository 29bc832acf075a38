// SPDX-License-Identifier: Apache-2.0
import Glibc

extension Packet {
    /// An Ethernet address: `"02:00:00:00:00:01"`.
    public struct MAC: Sendable, Hashable {
        public let bytes: [UInt8]

        public init(_ bytes: some Sequence<UInt8>) {
            self.bytes = Array(bytes)
            precondition(self.bytes.count == 6, "a MAC address has six bytes, not \(self.bytes.count)")
        }

        /// Nothing unless `text` is six numbers of one or two hexadecimal digits, with colons between.
        public init?(parsing text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { $0.count <= 2 ? UInt8($0, radix: 16) : nil }
            guard parts.count == 6, numbers.count == 6 else { return nil }
            bytes = numbers
        }

        public static let broadcast: MAC = "ff:ff:ff:ff:ff:ff"
        public static let zero: MAC = "00:00:00:00:00:00"
    }

    /// An IPv4 address: `"192.0.2.1"`.
    public struct IPv4: Sendable, Hashable {
        public let bytes: [UInt8]

        public init(_ bytes: some Sequence<UInt8>) {
            self.bytes = Array(bytes)
            precondition(self.bytes.count == 4, "an IPv4 address has four bytes, not \(self.bytes.count)")
        }

        public init?(parsing text: String) {
            guard let bytes = addressBytes(text, family: AF_INET, count: 4) else { return nil }
            self.bytes = bytes
        }
    }

    /// An IPv6 address: `"2001:db8::1"`.
    public struct IPv6: Sendable, Hashable {
        public let bytes: [UInt8]

        public init(_ bytes: some Sequence<UInt8>) {
            self.bytes = Array(bytes)
            precondition(self.bytes.count == 16, "an IPv6 address has 16 bytes, not \(self.bytes.count)")
        }

        public init?(parsing text: String) {
            guard let bytes = addressBytes(text, family: AF_INET6, count: 16) else { return nil }
            self.bytes = bytes
        }
    }
}

/// An address as inet_pton(3) reads it.
private func addressBytes(_ text: String, family: Int32, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, text, &bytes) == 1 ? bytes : nil
}

extension Packet.MAC: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral text: String) {
        guard let address = Self(parsing: text) else { preconditionFailure("\"\(text)\" is no MAC address") }
        self = address
    }

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

extension Packet.IPv4: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral text: String) {
        guard let address = Self(parsing: text) else { preconditionFailure("\"\(text)\" is no IPv4 address") }
        self = address
    }

    public var description: String {
        bytes.map(String.init).joined(separator: ".")
    }
}

extension Packet.IPv6: ExpressibleByStringLiteral, CustomStringConvertible {
    public init(stringLiteral text: String) {
        guard let address = Self(parsing: text) else { preconditionFailure("\"\(text)\" is no IPv6 address") }
        self = address
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
