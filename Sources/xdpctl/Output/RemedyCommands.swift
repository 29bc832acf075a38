// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Commands of remedies, as they have to be typed by who works in another network namespace than the one they are for.
struct RemedyCommands {
    /// What stands before them; nil where they are for the namespace that the user is in.
    private let prefix: String?

    /// What asks the network namespace of its caller.
    private static let tools: Set<Substring> = ["ethtool", "ip", "ss", "sysctl", "xdpctl"]

    /// - Parameter namespace: what was said with `--netns`.
    init(for namespace: String?) {
        guard let namespace else {
            prefix = nil
            return
        }
        if namespace.contains("/") {
            prefix = "nsenter --net=\(namespace) "
        } else if namespace.allSatisfy(\.isNumber), access("/run/netns/\(namespace)", F_OK) != 0 {
            prefix = "nsenter --net=/proc/\(namespace)/ns/net "
        } else {
            prefix = "ip netns exec \(namespace) "
        }
    }

    /// The remedy with its commands, which stand between backquotes, made ready.
    func complete(_ remedy: String) -> String {
        guard let prefix else { return remedy }
        var parts = remedy.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
        for place in stride(from: 1, to: parts.count - 1, by: 2) {
            // Those for the other end of a veth say already where they are to be typed.
            guard let tool = parts[place].split(separator: " ").first, Self.tools.contains(tool),
                !parts[place].hasPrefix("ip netns exec "),
                !parts[place + 1].hasPrefix(" in the peer's namespace")
            else { continue }
            parts[place] = prefix + parts[place]
        }
        return parts.joined(separator: "`")
    }
}
