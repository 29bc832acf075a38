// SPDX-License-Identifier: Apache-2.0

/// What the verifier printed about one program.
public struct VerifierLog: Sendable, Hashable {
    /// The whole text.
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    /// The one line of a thousand that says what is wrong: the last one that is neither an instruction,
    /// a register state, a source line nor the closing statistics.
    public var reason: String? {
        for line in text.split(separator: "\n").reversed() {
            if Self.isNoise(line) { continue }
            return String(line)
        }
        return nil
    }

    /// The index of the instruction that the verifier looked at last, in the loaded program.
    public var lastInstruction: Int? {
        if let reason, let index = Self.namedInstruction(in: reason) { return index }
        for line in text.split(separator: "\n").reversed() {
            guard let colon = line.firstIndex(of: ":"), let index = Int(line[..<colon]) else { continue }
            // "12: (85) call …" is an instruction, "12: R0=…" the state before it.
            return index
        }
        return nil
    }

    /// The figures of the closing lines, where the log has them (log level 4).
    public var statistics: VerifierStatistics? {
        VerifierStatistics(parsing: text)
    }

    /// "unreachable insn 7", "jump out of range from insn 3 to 9", "back-edge from insn 4 to 2".
    private static func namedInstruction(in reason: String) -> Int? {
        let words = reason.split(separator: " ")
        guard let place = words.firstIndex(of: "insn"), words.index(after: place) < words.endIndex else {
            return nil
        }
        return Int(words[words.index(after: place)])
    }

    private static func isNoise(_ line: Substring) -> Bool {
        if line.hasPrefix("processed ") || line.hasPrefix("verification time ")
            || line.hasPrefix("stack depth ") || line.hasPrefix("; ") || line.hasPrefix("from ")
            || line.hasPrefix("mark_precise:") || line.hasPrefix("last_idx ") || line.hasPrefix("regs=")
            || line.hasPrefix("parent ") || line.hasPrefix("caller:") || line.hasPrefix("callee:")
            || line.hasPrefix("cur state:") || line.hasPrefix("old state:") || line.hasPrefix(" frame")
            || line.hasPrefix("frame") || line.hasPrefix("max_states")
        {
            return true
        }
        guard let first = line.first else { return true }
        if first.isNumber, let colon = line.firstIndex(of: ":"), Int(line[..<colon]) != nil { return true }
        return first == " " || first == "\t"
    }
}
