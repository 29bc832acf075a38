// SPDX-License-Identifier: Apache-2.0

/// How a program of others and a chain come together on an interface.
enum AdoptionHint {
    static func lines(_ interface: String, _ program: ProgramStatus) -> [String] {
        let join = "to join: `xdpctl adopt \(interface)` makes it a member of a chain"
        guard let link = program.linkID,
            program.pins.contains(where: { $0.path.hasSuffix("/xdpctl/link-\(link)") })
        else { return [join] }
        return [
            "xdpctl adopted what this link held before: its owner has put this program in the place of the chain, "
                + "or took it back",
            join,
        ]
    }
}
