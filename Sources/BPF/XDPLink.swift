// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// A bpf_link that holds a program on the XDP hook of an interface. Linux 5.9.
///
/// As long as a descriptor or a pin holds the link, no other program can take the hook.
public struct XDPLink: ~Copyable, Sendable {
    public let descriptor: Descriptor

    /// Takes over a descriptor of an XDP link.
    public init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Attaches a program. The interface index is one of the calling thread's network namespace.
    public init(
        attaching program: borrowing Program, toInterface index: UInt32, mode: AttachMode
    ) throws(Errno) {
        var attributes = bpf_attr()
        attributes.link_create.prog_fd = UInt32(bitPattern: program.descriptor.rawValue)
        attributes.link_create.target_ifindex = index
        attributes.link_create.attach_type = AttachType.xdp.rawValue
        attributes.link_create.flags = mode.flags
        self.descriptor = try KernelDoor.descriptor(.linkCreate, &attributes)
    }

    /// Opens a link by its id; nil if it is gone, or is just being made: then the kernel answers EAGAIN until
    /// whoever makes it has its descriptor. Needs CAP_SYS_ADMIN.
    public static func open(id: UInt32) throws(BPFError) -> XDPLink? {
        var attributes = bpf_attr()
        attributes.link_id = id
        do throws(Errno) {
            return XDPLink(owning: try KernelDoor.descriptor(.linkByID, &attributes))
        } catch {
            if error == .noSuchFileOrDirectory || error == .resourceTemporarilyUnavailable { return nil }
            throw BPFError.opening("link", id: id, errno: error)
        }
    }

    /// Exchanges the program if `expected` is still the active one: the compare-and-swap on which every
    /// change of a chain rests. The kernel answers EPERM when another program is active, ENOLINK when the
    /// interface or the attachment is gone.
    public borrowing func update(
        to program: borrowing Program, expecting expected: borrowing Program
    ) throws(Errno) {
        var attributes = bpf_attr()
        attributes.link_update.link_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.link_update.new_prog_fd = UInt32(bitPattern: program.descriptor.rawValue)
        attributes.link_update.flags = UInt32(BPF_F_REPLACE)
        attributes.link_update.old_prog_fd = UInt32(bitPattern: expected.descriptor.rawValue)
        try KernelDoor.bpf(.linkUpdate, &attributes)
    }

    /// Takes the program off the interface; a link that is already detached is no error.
    public borrowing func detach() throws(BPFError) {
        var attributes = bpf_attr()
        attributes.link_detach.link_fd = UInt32(bitPattern: descriptor.rawValue)
        do throws(Errno) {
            try KernelDoor.bpf(.linkDetach, &attributes)
        } catch {
            throw BPFError("detach a link", errno: error)
        }
    }

    /// What the kernel says of the link; nil for a link that is not of the XDP kind.
    public borrowing func information() throws(BPFError) -> XDPLinkInformation? {
        var info = bpf_link_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "link")
        guard info.type == UInt32(BPF_LINK_TYPE_XDP.rawValue) else { return nil }
        return XDPLinkInformation(
            id: info.id, programID: info.prog_id, interfaceIndex: info.xdp.ifindex)
    }

    /// Makes the link outlive its descriptors at a path of the BPF file system.
    public borrowing func pin(at path: String) throws(BPFError) {
        try BPFFileSystem.pin(descriptor, at: path)
    }

    /// Opens a pinned link; nil if nothing is pinned there or it is not an XDP link.
    public static func open(pinnedAt path: String) throws(BPFError) -> XDPLink? {
        var link = stat()
        guard stat(path, &link) == 0 else { return nil }
        return XDPLink(owning: try BPFFileSystem.open(path))
    }
}

/// What the kernel says of an XDP link (`struct bpf_link_info`).
public struct XDPLinkInformation: Sendable, Hashable {
    public let id: UInt32
    public let programID: UInt32
    /// The interface's index in its own network namespace; 0 when the link holds no interface any more.
    /// The namespace itself is not told.
    public let interfaceIndex: UInt32
}
