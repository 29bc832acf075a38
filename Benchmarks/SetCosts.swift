// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Glibc
import XDP

/// What it costs to bring the sets of a filter from a file into the kernel, and what they take there.
struct SetCosts {
    private struct Case {
        var name: String
        var kind: SetDeclaration.Kind
        var hasTimeouts = false
        var count: Int
        /// Of what must hold.
        var isPromised = true
    }

    private static let cases = [
        Case(name: "1,000,000 addresses", kind: .address, count: 1_000_000),
        Case(name: "1,000,000 addresses, timeouts", kind: .address, hasTimeouts: true, count: 1_000_000),
        Case(name: "100,000 prefixes", kind: .prefix, count: 100_000),
        Case(
            name: "100,000 prefixes, timeouts", kind: .prefix, hasTimeouts: true, count: 100_000,
            isPromised: false),
        Case(name: "1,000,000 prefixes", kind: .prefix, count: 1_000_000, isPromised: false),
    ]

    func show(_ report: Report) throws {
        report.section("Sets: from a file into the kernel (s), and their memory there (MiB)")
        var lines = [["set", "read", "fill", "list", "add one", "memory", "bare map", "share"]]
        var promises: [(String, Double, Double, String)] = []
        for item in Self.cases {
            let path = "/tmp/xdp-bench-\(getpid()).txt"
            try write(item, to: path)
            defer { unlink(path) }
            let declaration = SetDeclaration(
                name: "bench", kinds: [item.kind], file: path, timeout: item.hasTimeouts ? 3600 : nil)
            var contents: SetContents?
            let read = try seconds { contents = try SetSource(declaration).read() }
            guard let contents else { continue }
            var store: SetStore?
            let fill = try seconds { store = try SetStore.make(declaration, contents: contents) }
            guard let store else { continue }
            var bytes = 0
            let list = try seconds { try store.list().write { bytes += $0.count } }
            let one = try SetSource(
                SetDeclaration(
                    name: "bench", kinds: [item.kind],
                    elements: [SetElement([.address(.init(192, 0, 2, 1))])], timeout: declaration.timeout)
            ).read()
            let add = try seconds { _ = try store.add(one) }
            let bare = try bareMemory(contents)
            let memory = Double(store.memory ?? 0)
            lines.append(
                [item.name] + [read, fill, list, add].map { Text.number($0) }
                    + [memory, bare].map { Text.decimal($0 / 1_048_576, 1) } + [Text.number(memory / bare)])
            if item.isPromised {
                promises.append(("\(item.name): read, fill", read + fill, 2, "s"))
                promises.append(("\(item.name): memory", memory / bare, 1.3, "x bare"))
            }
        }
        report.table(lines)
        for (what, value, bound, unit) in promises { report.promise(what, value, atMost: bound, unit) }
    }

    private func write(_ item: Case, to path: String) throws {
        guard let stream = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
        defer { fclose(stream) }
        for number in 0..<UInt32(item.count) {
            // An odd factor makes every number once, spread over all addresses.
            let isPrefix = item.kind == .prefix
            let length = isPrefix ? 24 - number % 3 * 2 : 32
            let spread = isPrefix ? (number &* 2_654_435) << 8 : number &* 2_654_435_761
            let mixed = (spread >> (32 - length)) << (32 - length)
            var line = [24, 16, 8, 0].map { "\(mixed >> UInt32($0) & 255)" }.joined(separator: ".")
            if isPrefix { line += "/\(length)" }
            fputs(line + "\n", stream)
        }
    }

    /// A map of the same keys and values of 8 bytes, as large as it has to be.
    private func bareMemory(_ contents: SetContents) throws -> Double {
        var bytes = 0
        for (part, keys) in zip(contents.layout.parts, contents.parts) where keys.count > 0 {
            var definition = contents.layout.definition(of: part, set: "bare", capacity: UInt32(keys.count))
            definition.valueSize = 8
            let map = try MapHandle(definition)
            let values = [UInt64](repeating: 2, count: keys.count)
            try keys.bytes.withUnsafeBytes { keyBytes in
                try values.withUnsafeBytes { values in
                    guard let key = keyBytes.baseAddress, let value = values.baseAddress else { return }
                    try map.map.update(
                        count: keys.count, keys: key, keySize: keys.keySize, values: value, valueSize: 8)
                }
            }
            let text = String(
                decoding: SmallFile.bytes(of: "/proc/self/fdinfo/\(map.map.descriptor.rawValue)"),
                as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix("memlock:") }
            bytes += line.flatMap { $0.split(separator: "\t").last }.flatMap { Int($0) } ?? 0
        }
        return Double(bytes)
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let time = try ContinuousClock().measure(body).components
        return Double(time.seconds) + Double(time.attoseconds) / 1e18
    }
}
