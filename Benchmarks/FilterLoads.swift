// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// What it takes to put rules and large sets into the kernel: time and memory.
struct FilterLoads {
    let bench: FilterBench

    func show(_ report: Report) throws {
        report.section("Putting rules and sets into the kernel (wall ms, median of \(runs) runs)")
        let prefixes = FilterRules.prefixes(100_000)
        let addresses = FilterRules.addresses(1_000_000)
        var table = [["", "ms", "MB in maps", "of the bare map", "x"]]
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
            try bench.apply(rules)
            let ours = try MapMemory.ofMaps(of: bench.running())
            try bench.unload()
            let bare = try MapMemory.bare(kind: kind, elements)
            let ratio = Double(ours) / Double(bare)
            table.append([
                name, Text.decimal(Samples(times).median, 0), Text.decimal(Double(ours) / 1e6, 1),
                Text.decimal(Double(bare) / 1e6, 1), Text.decimal(ratio, 2),
            ])
            report.promise("\(name), loading", Samples(times).median / 1000, atMost: 2, "s")
            report.promise("\(name), memory / bare map", ratio, atMost: 1.3, "x")
        }
        report.table(table)
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

/// Memory of maps as the kernel accounts for it.
enum MapMemory {
    static func ofMaps(of program: borrowing Program) throws -> Int {
        try program.mapIDs().map { id in
            let map = try BPFMap(id: id)
            return try locked(map)
        }.reduce(0, +)
    }

    /// A map with nothing but these elements, each with a value of eight bytes.
    static func bare(kind: String, _ elements: [String]) throws -> Int {
        let isTrie = kind == "prefix"
        let map = try BPFMap(
            MapDefinition(
                name: "bare", type: isTrie ? .prefixTrie : .hash, keySize: isTrie ? 8 : 4, valueSize: 8,
                maximumEntries: UInt32(elements.count), flags: 1))
        for element in elements {
            let parts = element.split(separator: "/")
            let address = parts[0].split(separator: ".").compactMap { UInt8($0) }
            let length = parts.count > 1 ? UInt32(parts[1]) ?? 32 : 32
            let prefix = isTrie ? withUnsafeBytes(of: length) { Array($0) } : []
            try map.update(prefix + address, to: [2, 0, 0, 0, 0, 0, 0, 0])
        }
        return try locked(map)
    }

    /// `memlock` of the descriptor's information in /proc.
    private static func locked(_ map: borrowing BPFMap) throws -> Int {
        let path = "/proc/self/fdinfo/\(map.descriptor.rawValue)"
        guard let stream = fopen(path, "r") else { throw BenchmarkError("\(path): errno \(errno)") }
        defer { fclose(stream) }
        var line: UnsafeMutablePointer<CChar>?
        var room = 0
        defer { free(line) }
        while getline(&line, &room, stream) > 0 {
            guard let line else { break }
            let words = String(cString: line).split(whereSeparator: \.isWhitespace)
            if words.first == "memlock:", words.count == 2, let bytes = Int(words[1]) { return bytes }
        }
        throw BenchmarkError("\(path) does not say memlock")
    }
}
