// SPDX-License-Identifier: Apache-2.0

/// What was asked for when a member was loaded, beside its object: enough to load it again just so.
public struct MemberSettings: Sendable, Hashable {
    /// The function, where one was named.
    public var program: String?
    /// Values of global variables, as typed.
    public var variables: [String: String] = [:]
    /// Numbers of entries of maps.
    public var maximumEntries: [String: UInt32] = [:]
    /// Maps that were named instead of made.
    public var reusedMaps: [String: LoadRequest.ExistingMap] = [:]
    /// Where all maps of the object are pinned.
    public var pinDirectory: String?
    /// Whether a program of its own was asked for.
    public var isIsolated = false

    public init() {}

    /// The part of a request that belongs to the member.
    public init(_ request: LoadRequest) {
        program = request.program
        variables = request.variables
        maximumEntries = request.maximumEntries
        reusedMaps = request.reusedMaps
        pinDirectory = request.pinDirectory
        isIsolated = request.isIsolated
    }
}
