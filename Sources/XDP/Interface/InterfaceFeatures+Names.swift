// SPDX-License-Identifier: Apache-2.0

extension InterfaceFeatures {
    /// What can be asked for by name: "native", and what ``Feature``, ``ReceiveMetadata`` and ``TransmitMetadata``
    /// call theirs.
    public static let names: [String] =
        ["native"] + Feature.allCases.map(\.rawValue) + ReceiveMetadata.allCases.map(\.rawValue)
        + TransmitMetadata.allCases.map(\.rawValue)

    /// The answer to a name; nil for one that is not among ``names``.
    public func support(of name: String) -> Support? {
        if name == "native" { return native }
        if let feature = Feature(rawValue: name) { return features[feature] }
        if let metadata = ReceiveMetadata(rawValue: name) { return receiveMetadata[metadata] }
        return TransmitMetadata(rawValue: name).flatMap { transmitMetadata[$0] }
    }
}
