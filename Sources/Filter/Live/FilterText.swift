// SPDX-License-Identifier: Apache-2.0
import XDP

extension RuleSet {
    /// Reads rules that a record holds.
    init(recorded text: String, _ what: String) throws(XDPError) {
        do throws(XDPError) {
            self = try RuleFile.parse(Array(text.utf8), file: "the filter's record")
        } catch {
            var refusal = XDPError(
                .refused, what, because: "its record has rules that this xdpctl does not understand",
                remedy: "Use the xdpctl that put it there, or apply the rules again with another --name")
            refusal.findings = error.findings
            throw refusal
        }
    }
}
