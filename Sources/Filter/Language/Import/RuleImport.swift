// SPDX-License-Identifier: Apache-2.0
import XDP

/// What was made of another tool's rules or sets, and what could not be carried over.
public struct RuleImport: Sendable, Hashable {
    /// What is read.
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// What `xdp-filter status` prints.
        case xdpFilter = "xdp-filter"
        /// What `nft list ruleset`, `nft list sets` and `nft list set` print; of it the sets.
        case nftSet = "nft-set"
        /// What `ipset save` prints.
        case ipset
    }

    /// Something that is missing in the result.
    public struct Note: Sendable, Hashable {
        /// From 1, in what was read.
        public var line: Int
        public var what: String
    }

    public internal(set) var ruleSet = RuleSet(policy: .pass)
    public internal(set) var notes: [Note] = []
    /// The names that were given, so that none is given twice.
    private var names: Set<String> = []

    /// Beyond so many the rest is only counted.
    static let mostNotes = 1000

    /// Throws where the text is nothing of this format at all.
    public init(_ bytes: [UInt8], as format: Format, file: String) throws(XDPError) {
        guard bytes.count <= RuleFile.largestText else {
            throw XDPError(
                .invalid, "\(file) cannot be imported",
                because: "it is larger than \(RuleFile.largestText >> 20) MiB")
        }
        let hasContent =
            switch format {
            case .xdpFilter: readXDPFilter(bytes)
            case .nftSet: readNFT(bytes)
            case .ipset: readIPSet(bytes)
            }
        guard hasContent else {
            throw XDPError(
                .invalid, "\(file) cannot be imported",
                because: "it is not what \(Self.source(of: format)) prints")
        }
    }

    private static func source(of format: Format) -> String {
        switch format {
        case .xdpFilter: "`xdp-filter status`"
        case .nftSet: "`nft list ruleset`"
        case .ipset: "`ipset save`"
        }
    }

    /// The rule file, with what is missing as comments at its top.
    public var text: String {
        var text = ""
        for note in notes {
            let line = note.what.unicodeScalars.map { $0.value < 0x20 ? "?" : String($0) }.joined()
            text += "# line \(note.line): \(line)\n"
        }
        return text + (notes.isEmpty ? "" : "\n") + ruleSet.text
    }

    mutating func note(_ line: Int, _ what: String) {
        if notes.count < Self.mostNotes {
            notes.append(Note(line: line, what: what))
        } else if notes.count == Self.mostNotes {
            notes.append(Note(line: line, what: "there is more from here on that is not carried over"))
        }
    }

    /// A name that a set can have, as near as it goes.
    mutating func setName(for name: String, line: Int) -> String {
        var base = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    let isFine =
                        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                    return isFine || scalar == "_" || scalar == "-" ? scalar : "_"
                }
            ).prefix(32))
        if base.unicodeScalars.first?.properties.isAlphabetic != true { base = String("s\(base)".prefix(32)) }
        var result = base
        var number = 2
        while !names.insert(result).inserted {
            let end = "-\(number)"
            result = base.prefix(32 - end.utf8.count) + end
            number += 1
        }
        if result != name { note(line, "the set \(name.prefix(80)) is called \(result) here") }
        return result
    }

    /// Adds an element that is written in our language; what cannot be one is noted.
    mutating func add(_ element: String, to set: inout SetDeclaration, line: Int) {
        do throws(XDPError) {
            set.elements += try RuleFile.parseElements(element, of: set)
        } catch {
            let why = error.findings.first?.what ?? error.why
            note(line, "\(element.prefix(80)) is not carried over: \(why)")
        }
    }

    /// Adds a rule that is written in our language.
    mutating func add(rule: String, line: Int) {
        do throws(XDPError) {
            ruleSet.rules.append(try RuleFile.parseRule(rule, in: ruleSet))
        } catch {
            note(line, "\(rule.prefix(80)) is not carried over: \(error.findings.first?.what ?? error.why)")
        }
    }

    /// The words of each line.
    static func lines(_ bytes: [UInt8]) -> [[String]] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
