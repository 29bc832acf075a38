// SPDX-License-Identifier: Apache-2.0

/// `ipset save`: a line for each set, and one for each element.
extension RuleImport {
    /// Kinds of sets that have a counterpart, and what their elements are.
    private static let types: [String: [SetDeclaration.Kind]] = [
        "hash:ip": [.address], "bitmap:ip": [.address], "hash:net": [.prefix], "hash:mac": [.mac],
        "bitmap:port": [.port], "hash:ip,port": [.address, .protocol, .port],
        "hash:ip,port,ip": [.address, .protocol, .port, .address], "hash:ip,mac": [.address, .mac],
        "bitmap:ip,mac": [.address, .mac],
    ]

    /// Says whether it was an output of ipset at all.
    mutating func readIPSet(_ bytes: [UInt8]) -> Bool {
        var sets: [String: Int] = [:]
        var left: Set<String> = []
        var isOutput = false
        for (index, words) in Self.lines(bytes).enumerated() where words.count >= 3 {
            let line = index + 1
            switch words[0] {
            case "create", "-N":
                isOutput = true
                guard let kinds = Self.types[words[2]], ruleSet.sets.count < 1024 else {
                    left.insert(words[1])
                    note(
                        line,
                        "the set \(words[1]) is not carried over: no set here holds what \(words[2]) does")
                    continue
                }
                var set = SetDeclaration(name: setName(for: words[1], line: line), kinds: kinds)
                if let place = words.firstIndex(of: "timeout"), place + 1 < words.count {
                    set.hasTimeouts = true
                    let seconds = UInt64(words[place + 1]) ?? 0
                    set.timeout = seconds > 0 ? min(seconds, RuleParser.longestDuration) : nil
                }
                sets[words[1]] = ruleSet.sets.count
                ruleSet.sets.append(set)
            case "add", "-A":
                isOutput = true
                if left.contains(words[1]) { continue }
                guard let place = sets[words[1]] else {
                    note(line, "there is no set \(words[1]) before this line")
                    continue
                }
                addElement(Array(words[2...]), to: place, line: line)
            default: note(line, "\(words[0]) is not carried over")
            }
        }
        return isOutput
    }

    private mutating func addElement(_ words: [String], to place: Int, line: Int) {
        if words.contains("nomatch") {
            note(line, "\(words[0]) is an exception (nomatch), which sets here do not have")
            return
        }
        for word in ["comment", "skbmark", "skbprio", "skbqueue"] where words.contains(word) {
            note(line, "the \(word) of \(words[0]) is left out")
        }
        // 192.0.2.1,tcp:80 is three parts, and so are IPv6 addresses with colons.
        let kinds = ruleSet.sets[place].kinds
        var parts: [String] = []
        for part in words[0].split(separator: ",") {
            if kinds.contains(.port), kinds.count > 1, parts.count == 1, let colon = part.firstIndex(of: ":")
            {
                parts += [String(part[..<colon]), String(part[part.index(after: colon)...])]
            } else {
                parts.append(part.lowercased())
            }
        }
        var element = parts.joined(separator: " . ")
        if let index = words.firstIndex(of: "timeout"), index + 1 < words.count,
            let seconds = UInt64(words[index + 1]), seconds > 0
        {
            element += " timeout \(min(seconds, RuleParser.longestDuration))s"
        }
        // Taken out, so that it is not copied for each element.
        var set = ruleSet.sets[place]
        ruleSet.sets[place].elements = []
        add(element, to: &set, line: line)
        ruleSet.sets[place] = set
    }
}
