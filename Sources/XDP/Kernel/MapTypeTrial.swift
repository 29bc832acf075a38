// SPDX-License-Identifier: Apache-2.0
import BPF

/// Finds out whether maps of a type can be made: makes the smallest one.
enum MapTypeTrial {
    /// A type that XDP programs or their loaders use.
    struct Row {
        let type: MapType
        let name: String
        /// The Linux release that brought it.
        let since: String
        /// The smallest one: key, value, entries, flags.
        let definition: MapDefinition

        init(
            _ number: UInt32, _ name: String, _ since: String, key: UInt32 = 4, value: UInt32 = 4,
            entries: UInt32 = 1, flags: UInt32 = 0
        ) {
            type = MapType(rawValue: number)
            self.name = name
            self.since = since
            definition = MapDefinition(
                name: "xdpctl_probe", type: type, keySize: key, valueSize: value, maximumEntries: entries,
                flags: flags)
        }
    }

    /// In the order of `enum bpf_map_type`. What only programs of other types can use is left out.
    static let all: [Row] = [
        Row(1, "hash", "3.19"), Row(2, "array", "3.19"), Row(3, "prog_array", "4.2"),
        Row(4, "perf_event_array", "4.3"), Row(5, "percpu_hash", "4.6"), Row(6, "percpu_array", "4.6"),
        Row(9, "lru_hash", "4.10"), Row(10, "lru_percpu_hash", "4.10"),
        // BPF_F_NO_PREALLOC
        Row(11, "lpm_trie", "4.11", key: 8, flags: 1),
        Row(12, "array_of_maps", "4.12"), Row(13, "hash_of_maps", "4.12"), Row(14, "devmap", "4.14"),
        Row(15, "sockmap", "4.14"), Row(16, "cpumap", "4.15"), Row(17, "xskmap", "4.18"),
        Row(18, "sockhash", "4.18"), Row(22, "queue", "4.20", key: 0), Row(23, "stack", "4.20", key: 0),
        Row(25, "devmap_hash", "5.4"), Row(27, "ringbuf", "5.8", key: 0, value: 0, entries: 1 << 16),
        Row(30, "bloom_filter", "5.16", key: 0),
        Row(31, "user_ringbuf", "6.1", key: 0, value: 0, entries: 1 << 16),
        // BPF_F_MMAPABLE
        Row(33, "arena", "6.9", key: 0, value: 0, flags: 1 << 10), Row(34, "insn_array", "6.19", value: 16),
    ]

    static func support(_ type: MapType) -> Support {
        guard let row = all.first(where: { $0.type == type }) else {
            return .unknown("there is no trial for maps of the type \(type)")
        }
        guard case .refused(let errno, _) = KernelTrial.create(row.definition) else { return .supported }
        return TrialBaseline.support(refusedWith: errno)
    }

    /// The Linux release that brought a type; nil where it is not known here.
    static func since(_ type: MapType) -> String? {
        all.first { $0.type == type }?.since
    }
}
