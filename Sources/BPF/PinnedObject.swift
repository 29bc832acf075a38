// SPDX-License-Identifier: Apache-2.0
import CBPF

/// What a pin in the BPF file system holds.
public enum PinnedObject: Sendable, Hashable {
    case program(id: UInt32)
    case link(id: UInt32, programID: UInt32)
    /// A map, or something that this library does not know.
    case other

    /// Looks at what is pinned at a path; nil where nothing is, or it may not be opened.
    public init?(at path: String) {
        guard let descriptor = try? BPFFileSystem.open(path) else { return nil }
        switch descriptor.kind() {
        case "bpf-prog":
            guard let program = try? Program(owning: descriptor).information() else { return nil }
            self = .program(id: program.id)
        case "bpf_link", "bpf-link":
            var info = bpf_link_info()
            guard (try? ObjectInformation.read(&info, from: descriptor, kind: "link")) != nil else {
                return nil
            }
            self = .link(id: info.id, programID: info.prog_id)
        default: self = .other
        }
    }
}
