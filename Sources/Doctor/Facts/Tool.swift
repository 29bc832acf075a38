// SPDX-License-Identifier: Apache-2.0

/// A program of others that people who work with XDP use.
public enum Tool: String, Sendable, Hashable, CaseIterable {
    case iproute2 = "ip"
    case bpftool
    case clang
    case pahole

    /// What it is needed for, to be read after "Without it".
    var loss: String {
        switch self {
        case .iproute2: "there is no `ip link`, which shows and sets up interfaces"
        case .bpftool: "loaded programs cannot be disassembled, and maps not dumped by hand"
        case .clang:
            "XDP programs cannot be compiled here; objects that were compiled elsewhere can be loaded"
        case .pahole: "type information (BTF) of a kernel that is built here cannot be made"
        }
    }

    /// The package of Debian, as an example.
    var package: String {
        switch self {
        case .iproute2: "iproute2"
        case .bpftool: "bpftool"
        case .clang: "clang"
        case .pahole: "pahole"
        }
    }
}

/// What a tool said of itself.
public struct ToolVersion: Sendable, Hashable {
    public var path: String
    /// The first line that it printed.
    public var line: String
    /// For clang: whether it compiles for BPF.
    public var targetsBPF: Bool?

    public init(path: String, line: String, targetsBPF: Bool? = nil) {
        self.path = path
        self.line = line
        self.targetsBPF = targetsBPF
    }

    /// The first line of a text that is not empty, shortened, without what a terminal would take for a command;
    /// nil if there is none. A further line that says which `library` is used is put behind it.
    public static func line(of output: [UInt8], naming library: String? = nil) -> String? {
        let lines = String(decoding: output.prefix(4096), as: UTF8.self).split(whereSeparator: \.isNewline)
            .map(\.trimmed).filter { !$0.isEmpty }
        guard let first = lines.first else { return nil }
        let second = lines.dropFirst().first { line in library.map { line.contains($0) } ?? false }
        return ([first] + [second].compactMap { $0 }).map { String($0.prefix(120)).withoutControls }
            .joined(separator: ", ")
    }

    /// Whether `bpf` is among what `clang --print-targets` lists: lines of a name, a dash and words.
    public static func hasBPF(_ targets: [UInt8]) -> Bool {
        String(decoding: targets, as: UTF8.self).split(whereSeparator: \.isNewline).contains { line in
            line.trimmed.split(separator: " ").first == "bpf"
        }
    }
}

extension String {
    /// Names that others chose, in one line, and with nothing that a terminal or a shell's comment ends at.
    var withoutControls: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
                    default: scalar
                    }
                }))
    }
}
