// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// To what the kernel counts the memory of maps and programs.
public enum MemoryAccounting: Sendable, Hashable {
    /// To the control group of the process, as any memory. Linux 5.11.
    case controlGroup
    /// To the user's locked memory, with the limits (RLIMIT_MEMLOCK) of this process in bytes; nil: none.
    case lockedMemory(soft: UInt64?, hard: UInt64?)
    /// It could not be found out, and why.
    case unknown(String)

    /// Finds out by making a small map while no locked memory is allowed. The limit is the process's, so other
    /// threads that make maps may be refused meanwhile; it is put back.
    public static func probe() -> MemoryAccounting {
        var limit = rlimit()
        guard cbpf_get_memory_lock_limit(&limit) == 0 else { return .unknown("the limit cannot be read") }
        // What makes no map at all tells nothing about limits.
        do throws(Errno) {
            _ = try smallMap()
        } catch {
            if error != .notPermitted || Capability.effective().isDisjoint(with: [.bpf]) {
                return .unknown(
                    "no map can be made to try it: "
                        + (Capability.remedy(for: [.bpf]) ?? "\(error.description) [\(error.name)]"))
            }
            return .lockedMemory(soft: amount(limit.rlim_cur), hard: amount(limit.rlim_max))
        }
        var none = rlimit(rlim_cur: 0, rlim_max: limit.rlim_max)
        guard cbpf_set_memory_lock_limit(&none) == 0 else { return .unknown("the limit cannot be lowered") }
        defer { _ = cbpf_set_memory_lock_limit(&limit) }
        do throws(Errno) {
            _ = try smallMap()
            return .controlGroup
        } catch {
            guard error == .notPermitted else {
                return .unknown("a map cannot be made: \(error.description) [\(error.name)]")
            }
            return .lockedMemory(soft: amount(limit.rlim_cur), hard: amount(limit.rlim_max))
        }
    }

    private static func amount(_ limit: rlim_t) -> UInt64? { limit == .max ? nil : UInt64(limit) }

    /// An array of one place, past what raises the limit.
    private static func smallMap() throws(Errno) -> Descriptor {
        var attributes = bpf_attr()
        attributes.map_type = MapType.array.rawValue
        attributes.key_size = 4
        attributes.value_size = 8
        attributes.max_entries = 1
        return try KernelDoor.descriptor(.mapCreate, &attributes)
    }
}
