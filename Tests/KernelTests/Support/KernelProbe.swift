// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport

@testable import XDP

/// What this kernel can, found out by doing it or read from it.
enum KernelProbe {
    /// Whether the kernel's own type information has a name: of a function, or a field.
    static func knows(_ name: String) throws -> Bool {
        let types = try Data(contentsOf: URL(filePath: "/sys/kernel/btf/vmlinux"))
        return types.range(of: Data([0] + Array(name.utf8) + [0])) != nil
    }

    /// Whether tail calls that a function did count for its caller too: since Linux 6.11 or so they do.
    static func countsTailCallsOfFunctions() throws -> Bool {
        let chain = try KernelChain(fixtures: ["tail_self", "tail_self", "pass"])
        _ = try chain.testRun(ChainBench.packet(for: .pass).bytes)
        let place = chain.chain.members[1].unit.maps.firstIndex { $0.name == ".bss" } ?? 0
        return try chain.maps["tail_self_1"]?[place].number() == 1
    }
}
