// SPDX-License-Identifier: Apache-2.0

/// What the verifier says of its own work at log level 4 (`print_verification_stats` in the kernel).
public struct VerifierStatistics: Sendable, Hashable {
    /// Instructions simulated; a program may cost at most one million.
    public var processedInstructions: Int
    /// Time the verifier took, in microseconds.
    public var microseconds: Int
    /// Stack bytes of each function, the main one first.
    public var stackDepths: [Int]

    init?(parsing log: String) {
        var processed: Int?
        var time = 0
        var depths: [Int] = []
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("processed "), words.count > 1 {
                processed = Int(words[1])
            } else if line.hasPrefix("verification time "), words.count > 2 {
                time = Int(words[2]) ?? 0
            } else if line.hasPrefix("stack depth "), words.count > 2 {
                depths = words[2].split(separator: "+").compactMap { Int($0) }
            }
        }
        guard let processed else { return nil }
        self.processedInstructions = processed
        self.microseconds = time
        self.stackDepths = depths
    }
}
