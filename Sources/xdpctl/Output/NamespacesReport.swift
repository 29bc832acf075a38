// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// What `xdpctl status --all-netns` says.
struct NamespacesReport: Encodable {
    var format = 1
    var namespaces: [NamespaceStatus] = []
    /// Processes that could not be asked for their namespace.
    let hiddenProcesses: Int

    /// Looks into every namespace that can be found, for one interface or for all.
    init(interface name: String?) throws(XDPError) {
        let search: NamespaceSearch
        do throws(NetlinkError) {
            search = try NamespaceSearch()
        } catch {
            throw XDPError(error, during: "The network namespaces cannot be listed")
        }
        hiddenProcesses = search.hiddenProcesses
        for found in search.found {
            if let namespace = NamespaceStatus(found, interface: name) { namespaces.append(namespace) }
        }
        if let name, namespaces.isEmpty {
            throw XDPError(
                .failed, "\(name) cannot be looked up",
                because: "there is no interface of that name in any network namespace that can be found",
                remedy: "`xdpctl status --all-netns` lists all of them")
        }
        let survey = ForeignSurvey(of: namespaces.flatMap { $0.interfaces.flatMap(\.foreign) })
        for place in namespaces.indices {
            for interface in namespaces[place].interfaces.indices {
                namespaces[place].interfaces[interface].add(survey)
            }
        }
    }
}

/// One namespace.
struct NamespaceStatus: Encodable {
    let name: String?
    let path: String
    let pid: Int32?
    let command: String?
    let inode: UInt64
    /// Whether xdpctl itself runs in it.
    let current: Bool
    var interfaces: [InterfaceStatus]
    /// Why its interfaces could not be read.
    let error: String?
    private let reference: String

    enum CodingKeys: CodingKey {
        case name, path, pid, command, inode, current, interfaces, error
    }

    /// Looks into it; nil if it has gone, or has no interface of that name.
    init?(_ found: FoundNamespace, interface name: String?) {
        do throws(XDPError) {
            let shown = try found.run { () throws(XDPError) -> [InterfaceStatus] in
                var shown: [InterfaceStatus] = []
                for interface in try Interface.all() where name == nil || interface.name == name {
                    shown.append(try InterfaceStatus(interface))
                }
                return shown
            }
            guard let shown, name == nil || !shown.isEmpty else { return nil }
            interfaces = shown
            error = nil
        } catch {
            interfaces = []
            self.error = error.description
        }
        self.name = found.name
        path = found.path
        pid = found.processID
        command = found.command
        inode = found.identity.inode
        current = found.isCurrent
        reference = found.reference
    }

    var hasPrograms: Bool { interfaces.contains { $0.state != "none" } }

    /// What it is called, and what `--netns` takes for it.
    var title: String {
        let isKnownBy = Terminal.clean(reference)
        if current { return name == nil ? "of this command" : "\(isKnownBy), of this command" }
        if name != nil { return isKnownBy }
        guard let command, !command.isEmpty else { return isKnownBy }
        return "\(isKnownBy) (\(Terminal.clean(command)))"
    }
}
