// SPDX-License-Identifier: Apache-2.0

/// What would make a finding go, in a form that a script can be written from.
public enum Repair: Sendable, Hashable {
    /// Sets it now, and for the next start.
    case set(Setting, to: Int64)
    case mount(type: String, at: String)
    /// Takes rights from others; the mode as chmod(1) takes it: "go-rwx".
    case restrict(path: String, mode: String)
    /// Removes a pin.
    case remove(path: String)
    /// Needs a decision, a restart, or something that the machine does not have.
    case byHand
}
