// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import XDP

/// What the verifier simulates for a chain, compared with what it simulates for the parts.
struct VerifierWork {
    let catalog: Catalog
    let settings: Settings

    func show(_ report: Report) throws {
        report.section(
            "Verifier work of \(settings.chains) random chains of 10, drawn from \(catalog.all.count) programs"
        )
        var lines = [["processed / sum of parts", "p50", "p90", "p99", "max", "refused"]]
        var worst = 0.0
        for mode in [CounterMode.off, .bytes] {
            // Like with like: a part alone counts its verdicts, too.
            var alone: [String: Int] = [:]
            for member in catalog.all {
                alone[member.name] =
                    try catalog.load([member], counters: mode).statistics?.processedInstructions
            }
            var generator = SeededGenerator(seed: 2026)
            var ratios: [Double] = []
            var refused = 0
            for _ in 0..<settings.chains {
                let members = draw(&generator)
                let sum = members.compactMap { alone[$0.name] }.reduce(0, +)
                let processed: Int?
                do {
                    processed = try catalog.load(members, counters: mode).statistics?.processedInstructions
                } catch let error as XDPError {
                    if settings.isVerbose { report.note("\(members.map(\.name)): \(error)") }
                    processed = nil
                }
                if let processed, sum > 0 {
                    ratios.append(Double(processed) / Double(sum))
                } else {
                    refused += 1
                }
            }
            let samples = Samples(ratios)
            lines.append(
                ["counters \(mode.rawValue)"]
                    + [samples.median, samples.quantile(0.9), samples.quantile(0.99), samples.maximum]
                    .map { Text.decimal($0, 3) } + ["\(refused)"])
            worst = max(worst, samples.quantile(0.99))
        }
        report.table(lines)
        report.promise("verifier work, p99", worst, atMost: 1.2, "x")
    }

    /// Ten members that together keep within the maps of one program; one that cannot be in a company
    /// with others is not in the catalogue.
    private func draw(_ generator: inout SeededGenerator) -> [Member] {
        var members: [Member] = []
        var maps: Set<UInt32> = []
        while members.count < 10 {
            guard let next = catalog.all.randomElement(using: &generator) else { break }
            let more = maps.union(next.mapIDs)
            guard more.count <= 60 else { continue }
            maps = more
            members.append(next)
        }
        return members
    }
}
