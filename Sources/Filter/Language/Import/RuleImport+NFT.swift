// SPDX-License-Identifier: Apache-2.0

/// nft's listings, of which sets are read; everything else is named and passed over.
extension RuleImport {
    private static let types: [String: SetDeclaration.Kind] = [
        "ipv4_addr": .address, "ipv6_addr": .address, "inet_service": .port, "inet_proto": .protocol,
        "ether_addr": .mac, "ifname": .interface,
    ]

    /// Fields by which a set's type can be given.
    private static let fields: [String: SetDeclaration.Kind] = [
        "ip saddr": .address, "ip daddr": .address, "ip6 saddr": .address, "ip6 daddr": .address,
        "tcp sport": .port, "tcp dport": .port, "udp sport": .port, "udp dport": .port, "th sport": .port,
        "th dport": .port, "ip protocol": .protocol, "meta l4proto": .protocol, "ether saddr": .mac,
        "ether daddr": .mac, "vlan id": .vlan, "iifname": .interface, "meta iifname": .interface,
    ]

    /// Says whether it was an output of nft at all.
    mutating func readNFT(_ bytes: [UInt8]) -> Bool {
        var reader = NFTReader(bytes)
        var isOutput = false
        while reader.token.kind != .end {
            let line = reader.token.place.line
            let word = reader.word
            reader.advance()
            switch word {
            case "table":
                isOutput = true
                // Family, name, brace: what is in it follows.
                while reader.token.kind == .word { reader.advance() }
                if reader.token.kind == .openBrace { reader.advance() }
            case "set":
                isOutput = true
                readSet(&reader, line: line)
            case "chain", "map", "flowtable", "counter", "quota", "limit", "ct", "synproxy", "secmark":
                let name = reader.token.kind == .word ? reader.text : ""
                while reader.token.kind == .word { reader.advance() }
                reader.skipBlock()
                note(line, "\(word ?? "") \(name.prefix(80)) is not carried over, only sets are")
            default: break
            }
        }
        return isOutput
    }

    private mutating func readSet(_ reader: inout NFTReader, line: Int) {
        guard reader.token.kind == .word else { return }
        let name = reader.text
        reader.advance()
        guard reader.token.kind == .openBrace else { return }
        reader.advance()
        var kinds: [SetDeclaration.Kind]?
        var type = ""
        var isInterval = false
        var set = SetDeclaration(name: "", kinds: [])
        var elements: [NFTReader.Element] = []
        while reader.token.kind != .closeBrace, reader.token.kind != .end {
            let word = reader.word
            reader.advance()
            switch word {
            case "type", "typeof":
                let parts = reader.statement().split(separator: ".", omittingEmptySubsequences: false).map {
                    $0.joined(separator: " ")
                }
                type = parts.joined(separator: " . ")
                let table = word == "type" ? Self.types : Self.fields
                let found = parts.compactMap { table[$0] }
                kinds = found.count == parts.count && (1...8).contains(found.count) ? found : nil
            case "flags":
                let flags = reader.statement()
                isInterval = flags.contains("interval")
                if flags.contains("timeout") { set.hasTimeouts = true }
            case "timeout":
                let seconds = reader.statement().first.flatMap(NFTReader.seconds)
                set.timeout = seconds
                if seconds != nil { set.hasTimeouts = true }
            case "elements": elements += reader.elements()
            case nil: break
            default: _ = reader.statement()
            }
        }
        reader.advance()
        guard var kinds, ruleSet.sets.count < 1024 else {
            note(line, "the set \(name.prefix(80)) is not carried over: no set here holds \(type.prefix(80))")
            return
        }
        if kinds == [.address], isInterval { kinds = [.prefix] }
        set.name = setName(for: name, line: line)
        set.kinds = kinds
        for element in elements {
            if element.hasComment {
                note(element.line, "the comment of \(element.text.prefix(80)) is left out")
            }
            let life = set.hasTimeouts ? element.timeout.map { " timeout \($0)s" } ?? "" : ""
            add(element.text + life, to: &set, line: element.line)
        }
        ruleSet.sets.append(set)
    }
}
