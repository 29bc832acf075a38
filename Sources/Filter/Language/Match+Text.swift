// SPDX-License-Identifier: Apache-2.0

extension Match {
    /// The tests as they stand in a rule; nothing for every packet.
    public var text: String {
        let match = normalized
        return match == .always ? "" : match.written(within: .either)
    }

    /// What binds less than its surroundings stands in parentheses.
    private enum Binding: Int {
        case either, joined, single
    }

    private func written(within binding: Binding) -> String {
        let text: String
        let own: Binding
        switch self {
        case .always: return "all"
        case .test(let test): return test.text
        case .not(let inner): return "not \(inner.written(within: .single))"
        case .all(let parts):
            let words = Self.words(parts, pair: Self.joinedPair, within: .joined)
            text = words.joined(separator: " ")
            own = words.count == 1 ? .single : .joined
        case .any(let parts):
            let words = Self.words(parts, pair: Self.eitherPair, within: .joined)
            text = words.joined(separator: " or ")
            own = words.count == 1 ? .single : .either
        }
        return own.rawValue < binding.rawValue ? "(\(text))" : text
    }

    /// The parts, of which two neighbours may have one word together.
    private static func words(
        _ parts: [Match], pair: (Match, Match) -> String?, within binding: Binding
    ) -> [String] {
        var words: [String] = []
        var index = 0
        while index < parts.count {
            if index + 1 < parts.count, let text = pair(parts[index], parts[index + 1]) {
                words.append(text)
                index += 2
            } else {
                words.append(parts[index].written(within: binding))
                index += 1
            }
        }
        return words
    }

    /// What the parser makes two tests of, which both have to hold.
    private static func joinedPair(_ left: Match, _ right: Match) -> String? {
        guard case .test(let first) = left else { return nil }
        switch (first, right) {
        case (.number(.ipVersion, [4...4]), .test(.number(.protocol, [1...1]))): return "icmp"
        case (.number(.ipVersion, [6...6]), .test(.number(.protocol, [58...58]))): return "icmpv6"
        case (.number(.icmpType, let types), .test(.number(.icmpCode, let codes))):
            return "icmp type \(NumberField.icmpType.text(types)) code \(NumberField.icmpCode.text(codes))"
        case (.number(.icmp6Type, let types), .test(.number(.icmp6Code, let codes))):
            return
                "icmpv6 type \(NumberField.icmp6Type.text(types)) code \(NumberField.icmp6Code.text(codes))"
        case (.number(.ipVersion, [4...4, 6...6]), .not(.test(.address(let field, let networks)))):
            return "\(field.word) != \(Test.list(networks.map(\.description)))"
        case (.number(.ipVersion, [4...4, 6...6]), .not(.test(.member(let set, let fields)))):
            guard fields.count == 1, case .address(let field) = fields[0] else { return nil }
            return "\(field.word) != @\(set)"
        case (.number(.etherType, [0...65_535]), .not(.test(.mac(let field, let addresses)))):
            return "mac \(field.word) != \(Test.list(addresses.map(\.description)))"
        case (.tcpFlags(0, 0), .not(.test(.tcpFlags(let value, let mask)))):
            return "flags != \(Test.flags(value, mask))"
        default: return nil
        }
    }

    /// What the parser makes two tests of, of which one has to hold: `port 53`, `host 192.0.2.1`.
    private static func eitherPair(_ left: Match, _ right: Match) -> String? {
        guard case .test(let first) = left, case .test(let second) = right else { return nil }
        switch (first, second) {
        case (.number(.sourcePort, let ranges), .number(.destinationPort, let others)) where ranges == others:
            let text = NumberField.sourcePort.text(ranges)
            // `port != 53` asks that of both.
            return text.hasPrefix("!=") ? nil : "port \(text)"
        case (.address(.source, let networks), .address(.destination, let others)) where networks == others:
            return "host \(Test.list(networks.map(\.description)))"
        case (.mac(.source, let addresses), .mac(.destination, let others)) where addresses == others:
            return "mac host \(Test.list(addresses.map(\.description)))"
        case (.member(let set, let fields), .member(let other, let others)) where set == other:
            switch (fields, others) {
            case ([.address(.source)], [.address(.destination)]): return "host in @\(set)"
            case ([.number(.sourcePort)], [.number(.destinationPort)]): return "port in @\(set)"
            case ([.mac(.source)], [.mac(.destination)]): return "mac host in @\(set)"
            default: return nil
            }
        default: return nil
        }
    }
}
