// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import XDP

/// Reads what filters count: a value for each CPU, of two numbers (packets, bytes).
enum CounterValues {
    /// What one place holds, whoever had it before.
    static func read(_ page: borrowing BPFMap, _ place: Int) throws(BPFError) -> Counter {
        let key = withUnsafeBytes(of: UInt32(place)) { Array($0) }
        let cpus = max(1, Int(libbpf_num_possible_cpus()))
        let reader = ByteReader(try page.lookup(key, valueSize: 16 * cpus) ?? [])
        var sum = Counter()
        for offset in stride(from: 0, to: reader.bytes.count, by: 16) {
            sum.packets &+= reader.integer(at: offset) ?? 0
            sum.bytes &+= reader.integer(at: offset + 8) ?? 0
        }
        return sum
    }
}
