// SPDX-License-Identifier: Apache-2.0

/// Names of the numbers in headers, as rules have them; nil for a number without a name.
public enum PacketNames {
    public static func transport(_ number: UInt8) -> String? { ProtocolNames.table.name(of: UInt32(number)) }
    public static func etherType(_ number: UInt16) -> String? {
        EtherTypeNames.table.name(of: UInt32(number))
    }
    public static func icmpType(_ number: UInt8) -> String? { ICMPNames.types.name(of: UInt32(number)) }
    public static func icmp6Type(_ number: UInt8) -> String? { ICMPNames.types6.name(of: UInt32(number)) }

    /// What a code of "destination unreachable" means.
    public static func icmpUnreachable(_ code: UInt8) -> String? { ICMPNames.codes.name(of: UInt32(code)) }
    public static func icmp6Unreachable(_ code: UInt8) -> String? { ICMPNames.codes6.name(of: UInt32(code)) }
}
