// SPDX-License-Identifier: Apache-2.0

/// Where in the order of a chain a member goes.
public enum Position: Sendable, Hashable {
    case first
    case last
    case before(String)
    case after(String)
    /// Behind the last member whose priority is not greater, as libxdp orders programs.
    case byPriority
}
