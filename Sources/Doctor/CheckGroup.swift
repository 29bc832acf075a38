// SPDX-License-Identifier: Apache-2.0

/// What a check is about.
public enum CheckGroup: String, Sendable, Hashable, CaseIterable {
    case options = "kernel options"
    case settings
    case processor
    case security
    case fileSystems = "file systems"
    case memory
    case rights
    case interfaces
    case programs
    case pins
    case tools
}
