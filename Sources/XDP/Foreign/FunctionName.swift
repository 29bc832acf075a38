// SPDX-License-Identifier: Apache-2.0
import BPF

/// The names of programs.
enum FunctionName {
    /// Bytes that the kernel keeps of a name.
    private static let kept = 15

    /// The whole name of a program's function. The kernel keeps 15 bytes; the types that were loaded with the
    /// program have the rest.
    ///
    /// Only what continues the short name counts: a loader may have given the program another name than the
    /// function has, which is then the one that people know.
    static func whole(_ short: String, of program: borrowing Program, types: ProgramTypes?) -> String {
        guard short.utf8.count >= kept || short.isEmpty,
            let type = try? program.mainFunctionType(), let name = types?.functionName(type),
            name.hasPrefix(short)
        else { return short }
        return name
    }
}
