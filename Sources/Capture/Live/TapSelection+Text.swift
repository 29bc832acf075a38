// SPDX-License-Identifier: Apache-2.0
import XDP

extension TapSelection {
    /// What can stand in a list of points.
    public static let grammar = "start, end, NAME:entry, NAME:exit, NAME, all, all:entry, all:exit"

    /// Reads points, with commas between them: `ids:exit,end`.
    ///
    /// `NAME` is a member's entry and exit, `all` the start, every member's exit and the end, `all:entry` every member's entry.
    public init(parsing text: String) throws(XDPError) {
        self.init()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let name = words.first ?? ""
            let kind = words.count == 2 ? words[1] : ""
            switch (name, kind, words.count) {
            case ("start", _, 1): start = true
            case ("end", _, 1): end = true
            case ("all", _, 1): (start, allExits, end) = (true, true, true)
            case ("all", "entry", 2): allEntries = true
            case ("all", "exit", 2): allExits = true
            case (_, "entry", 2) where Member.isValid(name: name): entries.append(name)
            case (_, "exit", 2) where Member.isValid(name: name): exits.append(name)
            case (_, _, 1) where Member.isValid(name: name):
                entries.append(name)
                exits.append(name)
            default:
                throw XDPError(
                    .invalid, "The points \(text) are not understood",
                    because: part.isEmpty ? "one of them is empty" : "\(part) is no point",
                    remedy: "Points are \(Self.grammar)")
            }
        }
    }
}
