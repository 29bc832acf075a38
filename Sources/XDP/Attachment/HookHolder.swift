// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// Finds out how a foreign program is held: by which link, or by netlink.
///
/// A link tells the program and the number of its interface, but not its network namespace; and one program may
/// be on several interfaces. So the hook itself is asked first.
enum HookHolder {
    /// Whether a link holds the hook. Asked by trying to exchange a program that is not there: the kernel
    /// refuses either way, a held hook with EBUSY before it compares programs.
    static func isHeldByLink(_ interface: Interface, mode: AttachMode) throws(XDPError) -> Bool {
        let what = "How \(interface.name) is held cannot be found out"
        let stranger: Program
        do throws(BPFError) {
            stranger = try Program.load(.passing("xdpctl_probe")).take()
        } catch {
            throw XDPError(error, during: what)
        }
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            try socket.detachXDP(
                from: interface.index, mode: mode.netlinkMode,
                expecting: .program(stranger.descriptor.rawValue))
            return false
        } catch {
            switch error.errno {
            case .resourceBusy: return true
            case .fileExists: return false
            // ENODEV: the interface is gone, which the swap will find.
            case Errno(rawValue: 19): return false
            default: throw XDPError(error, during: what)
            }
        }
    }

    /// The links that hold a program on an interface of this number; the first of them, if no more are asked
    /// for. Others may attach one program to several interfaces.
    static func links(
        holding programID: UInt32, on index: UInt32, atMost limit: Int = .max
    ) throws(BPFError) -> [UInt32] {
        var found: [UInt32] = []
        for id in try KernelIDs.links() where found.count < limit {
            guard let link = try XDPLink.open(id: id), let information = try link.information() else {
                continue
            }
            if information.programID == programID, information.interfaceIndex == index { found.append(id) }
        }
        return found
    }
}
