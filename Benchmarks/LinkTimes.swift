// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

/// What linking and the manifest cost in this process.
struct LinkTimes {
    let catalog: Catalog
    let settings: Settings

    func show(_ report: Report) throws {
        report.section("Linking in this process (us, fastest of \(settings.rounds * 10))")
        var lines = [
            [
                "members", "instr.", "lines", "link", "BTF", "instr. bytes", "manifest", "write", "read",
                "KiB",
            ]
        ]
        for count in [1, 10, 64] {
            let chain = try catalog.chain(catalog.members(count, of: catalog.passing), counters: .bytes)
            let linked = try catalog.link(chain)
            let manifest = Manifest(chain: chain, mode: .native)
            let bytes = manifest.encoded()
            let times = try [
                fastest { _ = try catalog.link(chain) },
                fastest { _ = DebugInformation(functions: linked.functions, lines: linked.lines) },
                fastest { _ = Instruction.encode(linked.instructions) },
            ]
            let coding = try [
                fastest { _ = manifest.encoded() },
                fastest { _ = try Manifest(decoding: bytes) },
            ]
            lines.append(
                ["\(count)", "\(linked.instructions.count)", "\(linked.lines.count)"]
                    + times.map { Text.decimal($0, 0) } + [""] + coding.map { Text.decimal($0, 0) }
                    + ["\(bytes.count / 1024)"])
        }
        report.table(lines)
    }

    /// Microseconds.
    private func fastest(_ body: () throws -> Void) throws -> Double {
        let clock = ContinuousClock()
        var best = Duration.seconds(3600)
        for _ in 0..<(settings.rounds * 10) { best = min(best, try clock.measure(body)) }
        return Double(best.components.attoseconds) / 1e12 + Double(best.components.seconds) * 1e6
    }
}
