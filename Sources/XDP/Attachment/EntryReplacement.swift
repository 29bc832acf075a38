// SPDX-License-Identifier: Apache-2.0
import BPF

/// Whether another program stands in the place of a whole program (freplace), as libxdp puts a single one in the
/// place of its dispatcher.
///
/// Its instructions are entered behind the point where the kernel leads away to the other one if a tail call
/// enters it: packets would meet the empty dispatcher. Linux 6.13 refuses such tail calls, older kernels do them.
/// Functions of it that are replaced make no difference.
enum EntryReplacement {
    /// Linux before 5.13 does not tell what replaces what; then every dispatcher is meant.
    static func concerns(_ program: borrowing Program, _ information: ProgramInformation) throws(BPFError)
        -> Bool
    {
        // Only programs with types can be replaced.
        guard information.btfID != 0 else { return false }
        let links = try ExtensionLink.all().filter { $0.targetID == information.id || $0.targetID == 0 }
        guard !links.isEmpty else { return false }
        let types = ProgramTypes(id: information.btfID)
        let main = FunctionName.whole(information.name, of: program, types: types)
        let known = links.filter { $0.targetID != 0 }
        if known.count < links.count {
            let reader = DispatcherReader(information, types: types, fileSystems: [])
            if try reader.read(program, functionName: main) != nil { return true }
        }
        return known.contains { link in
            guard let name = types?.functionName(link.targetFunction) else { return true }
            return name == main
        }
    }
}
