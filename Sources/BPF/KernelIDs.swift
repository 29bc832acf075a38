// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Walks the ids of all objects of one kind. Needs CAP_SYS_ADMIN.
public enum KernelIDs {
    public static func programs() throws(BPFError) -> [UInt32] { try all(.programNextID, "programs") }
    public static func maps() throws(BPFError) -> [UInt32] { try all(.mapNextID, "maps") }
    /// Type information: of the kernel, its modules, and programs.
    public static func types() throws(BPFError) -> [UInt32] { try all(.btfNextID, "type information") }
    /// Linux 5.8.
    public static func links() throws(BPFError) -> [UInt32] { try all(.linkNextID, "links") }

    private static func all(_ command: BPFCommand, _ kind: String) throws(BPFError) -> [UInt32] {
        var ids: [UInt32] = []
        var last: UInt32 = 0
        while true {
            var attributes = bpf_attr()
            attributes.start_id = last
            do throws(Errno) {
                try KernelDoor.bpf(command, &attributes)
            } catch {
                if error == .noSuchFileOrDirectory { return ids }
                throw BPFError(
                    "list the \(kind) in the kernel", errno: error,
                    remedy: error == .notPermitted ? Capability.remedy(for: [.systemAdministration]) : nil)
            }
            last = attributes.next_id
            ids.append(last)
        }
    }
}
