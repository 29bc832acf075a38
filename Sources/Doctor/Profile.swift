// SPDX-License-Identifier: Apache-2.0

/// What a machine is for, which decides how bad a finding is.
public enum Profile: String, Sendable, Hashable, CaseIterable {
    /// People work on it, and try XDP.
    case workstation
    /// It forwards, filters or answers other people's packets, and XDP is in their way: routers, load balancers,
    /// servers.
    case router
    /// It builds and tests programs, and nobody else is on it.
    case ci
}
