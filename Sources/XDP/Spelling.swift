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

    /// Characters that have to be added, left out or changed; two neighbours that changed places count as one.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var next = [i + 1]
            for (j, b) in right.enumerated() {
                var least = min(row[j + 1] + 1, next[j] + 1, row[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], b == left[i - 1] { least = min(least, before[j - 1] + 1) }
                next.append(least)
            }
            before = row
            row = next
        }
        return row[right.count]
    }
}
