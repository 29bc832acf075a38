// SPDX-License-Identifier: Apache-2.0

extension SetDeclaration {
    /// The declaration as it stands in a file.
    public var text: String {
        var text = "set \(name) : \(kinds.map(\.rawValue).joined(separator: " . "))"
        if let file { text += " from \(RuleText.quoted(file))" }
        if let timeout {
            text += " timeout \(RuleText.duration(timeout))"
        } else if hasTimeouts {
            text += " timeouts"
        }
        if let capacity { text += " capacity \(capacity)" }
        guard !elements.isEmpty else { return text }
        if elements.count <= 4 {
            return text + " { \(elements.map(\.text).joined(separator: ", ")) }"
        }
        return text + " {\n" + elements.map { "  \($0.text),\n" }.joined() + "}"
    }
}

extension SetElement {
    /// The element as it stands in a file: `192.0.2.1 . 80 timeout 10m`.
    public var text: String {
        let text = components.map(\.text).joined(separator: " . ")
        return timeout.map { "\(text) timeout \(RuleText.duration($0))" } ?? text
    }
}

extension SetComponent {
    /// The component as it stands in a file. Numbers have no names, because their kind is not known here.
    public var text: String {
        switch self {
        case .address(let address): "\(address)"
        case .prefix(let prefix): "\(prefix)"
        case .numbers(let range):
            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
        case .mac(let address): "\(address)"
        case .interface(let name): RuleText.name(name)
        }
    }
}
