// SPDX-License-Identifier: Apache-2.0

/// Asks the tools of others for their versions.
enum ToolScan {
    static func all() -> [Tool: Fact<ToolVersion?>] {
        var found: [Tool: Fact<ToolVersion?>] = [:]
        for tool in Tool.allCases { found[tool] = version(of: tool) }
        return found
    }

    private static func version(of tool: Tool) -> Fact<ToolVersion?> {
        guard let path = candidates(tool).lazy.compactMap(ToolRunner.find).first else { return .known(nil) }
        do throws(ToolRunner.Failure) {
            let output = try ToolRunner.output(of: path, arguments(tool))
            guard let line = ToolVersion.line(of: output, naming: "libbpf") else {
                return .unknown("\(path) does not say which version it is")
            }
            var version = ToolVersion(path: path, line: line)
            if tool == .clang {
                version.targetsBPF = ToolVersion.hasBPF(try ToolRunner.output(of: path, ["--print-targets"]))
            }
            return .known(version)
        } catch {
            return .unknown(error.reason)
        }
    }

    /// Names under which distributions have it.
    private static func candidates(_ tool: Tool) -> [String] {
        tool == .clang ? ["clang"] + (11...22).reversed().map { "clang-\($0)" } : [tool.rawValue]
    }

    private static func arguments(_ tool: Tool) -> [String] {
        switch tool {
        case .iproute2: ["-V"]
        case .bpftool: ["version"]
        case .clang, .pahole: ["--version"]
        }
    }
}
