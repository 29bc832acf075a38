// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Netlink
import XDP

/// What the shell offers where the kernel knows the answer.
///
/// A completion never fails: what cannot be read is not offered. The words are those of the command line so far,
/// `xdpctl` first.
extension CompletionKind {
    /// The interfaces of the namespace that the command line names.
    static var interfaces: CompletionKind {
        .custom { words, _, _ in
            enterNamespace(of: words)
            return links().map(\.name)
        }
    }

    /// The members of the chain on the interface that the command line names.
    static var members: CompletionKind {
        .custom { words, _, _ in
            enterNamespace(of: words)
            let names = Set(words.dropFirst(2))
            guard let link = links().first(where: { names.contains($0.name) }),
                let interface = try? Interface(named: link.name),
                case .chain(let active)? = try? interface.occupant()
            else { return [] }
            return active.manifest.chain.members.map(\.name)
        }
    }

    /// Network namespaces with names.
    static var namespaces: CompletionKind {
        .custom { _, _, _ in ((try? NetworkNamespace.list()) ?? []).map(\.name) }
    }

    private static func links() -> [Link] {
        guard var socket = try? RouteSocket(), let links = try? socket.links() else { return [] }
        return links
    }

    private static func enterNamespace(of words: [String]) {
        guard let option = words.lastIndex(of: "--netns"), option + 1 < words.count,
            let namespace = try? NetworkNamespace(parsing: words[option + 1])
        else { return }
        try? namespace.enter()
    }
}
