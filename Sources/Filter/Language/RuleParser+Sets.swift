// SPDX-License-Identifier: Apache-2.0
import XDP

/// Declarations of sets, and their elements.
extension RuleParser {
    /// Says whether it had braces.
    mutating func parseSet() throws(RuleMistake) -> Bool {
        let place = token.place
        advance()
        let namePlace = token.place
        let name = try self.name(of: "set")
        if ruleSet.set(name) != nil {
            report(RuleMistake(place: namePlace, what: "there is a set \(name) already", remedy: nil))
        }
        guard ruleSet.sets.count < 1024 else { throw mistake("there are more than 1024 sets") }
        guard accept(.colon) else { throw expected(": and what the set holds", "set \(name) : prefix") }
        let kindPlace = token.place
        var kinds = [try kind()]
        while accept(.dot) { kinds.append(try kind()) }
        guard kinds.count <= 8 else {
            throw RuleMistake(place: kindPlace, what: "a tuple has at most eight parts", remedy: nil)
        }
        if kinds.count > 1, kinds.contains(.prefix) {
            throw RuleMistake(
                place: kindPlace, what: "tuples hold single values, no prefixes",
                remedy: kinds.map { $0 == .prefix ? "address" : $0.rawValue }.joined(separator: " . "))
        }
        var set = SetDeclaration(name: name, kinds: kinds, place: place)
        var seen: Set<RuleWord> = []
        var hasList = false
        while !isStatementEnd {
            if token.kind == .openBrace, !hasList {
                hasList = true
                set.elements = try elements(of: set)
                continue
            }
            guard let word else { throw notAPart() }
            // What follows on the same line.
            if hasList, ![.from, .timeout, .timeouts, .capacity, .max].contains(word) { break }
            guard seen.insert(word == .max ? .capacity : word).inserted else {
                throw mistake("\(text) is there already")
            }
            switch word {
            case .from:
                advance()
                let place = token.place
                let file = try string("the name of a file")
                guard !file.isEmpty, !file.utf8.contains(0) else {
                    throw RuleMistake(place: place, what: "no file can have this name", remedy: nil)
                }
                set.file = file
            case .timeout:
                advance()
                set.timeout = try duration()
                set.hasTimeouts = true
            case .timeouts:
                advance()
                set.hasTimeouts = true
            case .capacity, .max:
                advance()
                set.capacity = UInt32(try number(1...UInt64(UInt32.max), "elements"))
            default: throw notAPart()
            }
        }
        // An element with a life of its own says so too.
        if !set.hasTimeouts { set.hasTimeouts = set.elements.contains { $0.timeout != nil } }
        ruleSet.sets.append(set)
        return hasList
    }

    private func notAPart() -> RuleMistake {
        let words = ["from", "timeout", "timeouts", "capacity"]
        let guess = token.kind == .word ? Spelling.guess(text, among: words) : nil
        return expected("from, timeout, timeouts, capacity or {", guess)
    }

    private mutating func kind() throws(RuleMistake) -> SetDeclaration.Kind {
        let names = SetDeclaration.Kind.allCases.map(\.rawValue)
        guard token.kind == .word else { throw expected(names.joined(separator: ", ")) }
        guard let kind = SetDeclaration.Kind(rawValue: text) else {
            let known: [String: String] = [
                "ipv4_addr": "did you mean prefix, or address? Both families may stand in one set",
                "ipv6_addr": "did you mean prefix, or address? Both families may stand in one set",
                "inet_service": "did you mean port?", "inet_proto": "did you mean protocol?",
                "ether_addr": "did you mean mac?", "ifname": "did you mean interface?",
                "network": "did you mean prefix?", "net": "did you mean prefix?",
                "ip": "did you mean address?",
            ]
            let advice = known[text] ?? Spelling.guess(text, among: names)
            throw mistake("\(shown) is no kind of set", advice ?? "expected \(names.joined(separator: ", "))")
        }
        advance()
        return kind
    }

    // MARK: Elements

    private mutating func elements(of set: SetDeclaration) throws(RuleMistake) -> [SetElement] {
        let place = token.place
        _ = openList(.openBrace)
        let elements = elements(of: set, until: .closeBrace)
        guard closeList(.closeBrace) else {
            // What was found before says enough.
            guard findings.isEmpty else { throw expected("}") }
            throw expected(", or }", "the { in line \(place.line), column \(place.column) is not closed")
        }
        return elements
    }

    /// Elements without braces.
    mutating func parseLooseElements(of set: SetDeclaration) -> [SetElement] {
        // A name at the beginning was read before lines lost their meaning.
        let elements = elements(of: set, until: .end)
        if findings.isEmpty, token.kind != .end { report(expected(", or the end")) }
        return elements
    }

    private mutating func elements(of set: SetDeclaration, until end: RuleToken.Kind) -> [SetElement] {
        var elements: [SetElement] = []
        while token.kind != end, !isDone {
            if token.kind == .newline || token.kind == .semicolon {
                advance()
                continue
            }
            let line = token.place.line
            do throws(RuleMistake) {
                elements += try element(of: set)
                // A comma or a new line separates.
                guard accept(.comma) || token.kind == end || token.place.line > line || token.kind == .newline
                else { throw expected("a comma or a new line") }
            } catch {
                report(error)
                while token.kind != .end, token.kind != .comma, token.kind != .closeBrace,
                    token.place.line == line
                {
                    advance()
                }
                _ = accept(.comma)
            }
            if end == .end, token.kind == .closeBrace { break }
        }
        return elements
    }

    private mutating func element(of set: SetDeclaration) throws(RuleMistake) -> [SetElement] {
        try countValue()
        var elements = try components(of: set).map { SetElement($0) }
        if accept(.timeout) {
            let place = token.place
            let timeout = try duration()
            guard elements.count <= 1 || set.kinds == [.prefix] else {
                throw RuleMistake(place: place, what: "a timeout goes with one element", remedy: nil)
            }
            for index in elements.indices { elements[index].timeout = timeout }
        }
        return elements
    }

    /// The components of an element; a range of addresses is several elements.
    private mutating func components(of set: SetDeclaration) throws(RuleMistake) -> [[SetComponent]] {
        if set.kinds == [.prefix] { return try networks().map { [.prefix($0)] } }
        var components: [SetComponent] = []
        for (index, kind) in set.kinds.enumerated() {
            if index > 0, !accept(.dot) {
                throw expected(
                    "a dot, with blanks around it, and the \(kind.rawValue)",
                    "elements are \(set.kinds.map(\.rawValue).joined(separator: " . "))")
            }
            let place = token.place
            let component = try component(kind)
            if set.kinds.count > 1, case .numbers(let range) = component, range.count > 1 {
                throw RuleMistake(place: place, what: "tuples hold no ranges", remedy: "list the values")
            }
            components.append(component)
        }
        return [components]
    }

    private mutating func component(_ kind: SetDeclaration.Kind) throws(RuleMistake) -> SetComponent {
        switch kind {
        case .mac: return .mac(try macAddress())
        case .interface: return .interface(try interfaceName())
        case .port: return try numbers(.destinationPort)
        case .protocol: return try numbers(.protocol)
        case .vlan: return try numbers(.vlan)
        case .prefix, .address:
            let place = token.place
            let networks = try networks()
            guard networks.count == 1, networks[0].isSingle else {
                throw RuleMistake(
                    place: place, what: "the set holds single addresses, no networks and ranges",
                    remedy: "a set of kind `prefix` holds them")
            }
            return .address(networks[0].address)
        }
    }

    private mutating func numbers(_ field: NumberField) throws(RuleMistake) -> SetComponent {
        let range = try numberRange(of: field)
        return .numbers(UInt16(range.lowerBound)...UInt16(range.upperBound))
    }
}
