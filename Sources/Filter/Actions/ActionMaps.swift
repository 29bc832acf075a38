// SPDX-License-Identifier: Apache-2.0
import BPF

/// The maps that limits and reports need (``FilterMapRole/buckets``, ``FilterMapRole/log``).
public enum ActionMaps {
    /// The addresses (or networks) that limits can tell apart at a time, all limits of a filter together.
    ///
    /// Beyond that the kernel forgets those that were not seen for the longest time, roughly: sources that keep coming
    /// are kept. A bucket that was forgotten is full when its source comes again, so a flood from more sources than
    /// this is limited less than the rule says; a limit on larger networks (`per src/24`) is the answer to that.
    /// One entry takes about 90 bytes.
    public static let keyedBuckets: UInt32 = 65_536

    /// Where every limit has one bucket only: few are needed, but each CPU keeps up to 128 at hand.
    public static let plainBuckets: UInt32 = 16_384

    /// Bytes in which reports wait for a reader.
    public static let ringSize: UInt32 = 1 << 20

    /// The buckets of a filter: the key is what ``BucketCode`` says, the value the time at which the bucket is full.
    public static func buckets(for rules: RuleSet) -> MapDefinition {
        let all = rules.rules + rules.groups.flatMap(\.rules)
        let isKeyed = all.contains { rule in
            guard case .limit(let limit) = rule.action else { return false }
            return limit.scope != .rule
        }
        return MapDefinition(
            name: "buckets", type: .lruHash, keySize: UInt32(BucketCode.keySize), valueSize: 8,
            maximumEntries: isKeyed ? keyedBuckets : plainBuckets)
    }

    /// The ring in which reports wait (``LogReport``).
    public static var log: MapDefinition {
        MapDefinition(name: "log", type: .ringBuffer, keySize: 0, valueSize: 0, maximumEntries: ringSize)
    }
}
