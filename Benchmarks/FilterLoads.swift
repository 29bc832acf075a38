// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// How long it takes to put rules and large sets into the kernel, by the command.
struct FilterLoads {
    let bench: FilterBench

    func show(_ report: Report) throws {
        report.section(
            "Putting rules and sets on an interface (wall time of the command, median of \(runs) runs)")
        let prefixes = FilterRules.prefixes(100_000)
        let addresses = FilterRules.addresses(1_000_000)
        for (name, kind, elements) in [
            ("100,000 prefixes", "prefix", prefixes), ("1,000,000 addresses", "address", addresses),
        ] {
            let list = try bench.file("list.txt", elements.joined(separator: "\n") + "\n")
            let rules = FilterRules.set(from: list, kind: kind)
            let times = try (0..<runs).map { _ in
                let time = try bench.apply(rules).wall
                try bench.unload()
                return time
            }
            report.promise("apply with \(name)", Samples(times).median / 1000, atMost: 2, "s")
        }
        try besideXDPFilter(report)
    }

    private var runs: Int { max(bench.settings.runs / 10, 3) }

    /// A rule set of a thousand addresses in one swap, beside a thousand calls.
    private func besideXDPFilter(_ report: Report) throws {
        let addresses = FilterRules.addresses(1000)
        let rules = FilterRules.lines(addresses)
        let ours = Samples(
            try (0..<max(bench.settings.runs / 2, 5)).map { _ in
                let time = try bench.apply(rules).wall
                try bench.unload()
                return time
            })
        guard (try? ChildProcess.run(["xdp-filter", "help"])) != nil else {
            report.unmeasured("apply of 1,000 / xdp-filter", because: "it is not installed")
            return
        }
        try XDPFilter.load(on: bench.near, features: "ipv4")
        var theirs = 0.0
        for address in addresses { theirs += try XDPFilter.add(address).wall }
        try XDPFilter.unload(from: bench.near)
        report.note(
            "1,000 rules: one `filter apply` \(Text.decimal(ours.median, 1)) ms, 1,000 calls of xdp-filter "
                + "\(Text.decimal(theirs, 0)) ms")
        report.promise("1,000 rules / calls of xdp-filter", ours.median / theirs, atMost: 0.1, "x")
    }
}
