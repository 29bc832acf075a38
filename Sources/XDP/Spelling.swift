// SPDX-License-Identifier: Apache-2.0

/// Guesses what was meant.
public enum Spelling {
    /// "did you mean object?", or nil where no word is near.
    public static func guess(_ word: String, among words: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let near = words.map { ($0, distance(Array(word.lowercased().utf8), Array($0.utf8))) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }
        guard let near, near.1 <= max(1, near.0.utf8.count / 3) else { return nil }
        return "did you mean \(near.0)?"
    }

    /// Characters that have to be added, left out or changed.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
