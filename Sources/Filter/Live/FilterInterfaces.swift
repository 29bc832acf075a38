// SPDX-License-Identifier: Apache-2.0
import XDP

/// The interfaces that rules name, looked up once.
struct FilterInterfaces {
    private var known: [String: UInt32] = [:]
    /// Those that matches name, as far as they exist.
    private(set) var matched: [String: UInt32] = [:]

    init(_ rules: RuleSet) throws(XDPError) {
        var names: Set<String> = []
        var isNeeded = false
        for (_, rule) in rules.numbered {
            rule.match.collectInterfaces(&names)
            if case .redirect = rule.action { isNeeded = true }
        }
        guard isNeeded || !names.isEmpty else { return }
        for interface in try Interface.all() { known[interface.name] = interface.index }
        matched = known.filter { names.contains($0.key) }
    }

    func index(of name: String) -> UInt32? { known[name] }

    /// Throws if one of them does not exist.
    func indexes(of names: [String]) throws(XDPError) -> [UInt32] {
        var found: [UInt32] = []
        for name in names {
            guard let index = known[name] else {
                throw XDPError(
                    .refused, "The rules cannot be put on an interface",
                    because: "a rule redirects to \(name), and there is no such interface",
                    remedy: "`ip link` lists those of this network namespace")
            }
            found.append(index)
        }
        return found
    }
}

extension Match {
    /// The interfaces that are named.
    fileprivate func collectInterfaces(_ names: inout Set<String>) {
        switch self {
        case .always: break
        case .all(let parts), .any(let parts): for part in parts { part.collectInterfaces(&names) }
        case .not(let part): part.collectInterfaces(&names)
        case .test(.interface(let list)): names.formUnion(list)
        case .test: break
        }
    }
}
