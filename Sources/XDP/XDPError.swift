// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// Why a request was not carried out: what, why, and what to do now.
public struct XDPError: Error, Sendable, CustomStringConvertible {
    /// The kind of outcome, which the command turns into its exit status.
    public enum Kind: String, Sendable {
        /// It was tried and went wrong, or what it speaks of is not there.
        case failed
        /// The request makes no sense, whatever the machine's state: a name that cannot be one.
        case invalid
        /// A check forbids it before anything is tried: a cycle, an unknown member, an interface in use.
        case refused
    }

    public var kind: Kind
    /// What was attempted, as a sentence: "ids cannot be loaded on eth0".
    public var what: String
    /// Why not.
    public var why: String
    /// What to do now.
    public var remedy: String?
    /// Everything there is to know, many lines; shown on request.
    public var details: String?
    /// What was found in files, one by one; empty where the error is not about files.
    public var findings: [Finding] = []
    /// What the checks before a change found, one by one; empty where none did.
    public var checks: [CheckFinding] = []

    public init(
        _ kind: Kind, _ what: String, because why: String, remedy: String? = nil, details: String? = nil
    ) {
        self.kind = kind
        self.what = what
        self.why = why
        self.remedy = remedy
        self.details = details
    }

    /// Keeps what libbpf or the kernel said.
    public init(_ error: BPFError, during what: String) {
        self.init(
            .failed, what, because: Self.sentence(error),
            remedy: error.kernelMessage.flatMap { KernelRemedy.named(inObjectFailure: $0) } ?? error.remedy,
            details: error.verifierLog?.text)
    }

    /// Keeps what the kernel's network side said.
    public init(_ error: NetlinkError, during what: String) {
        self.init(.failed, what, because: error.description, remedy: nil)
    }

    private static func sentence(_ error: BPFError) -> String {
        var copy = error
        copy.remedy = nil
        return copy.description
    }

    public var description: String {
        var text = "\(what): \(why)"
        if let remedy { text += ". \(remedy)" }
        return text
    }
}
