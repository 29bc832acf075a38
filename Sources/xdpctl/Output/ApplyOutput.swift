// SPDX-License-Identifier: Apache-2.0
import Configuration
import XDP

/// What `apply` prints. Documentation/json.md describes the fields.
struct ApplyOutput: Encodable {
    /// One thing that the plan has for an interface.
    struct StepOutput: Encodable {
        let action: String
        var member: String?
        /// In words.
        var detail: String?
    }

    /// One interface: the plan, and what became of it.
    struct InterfaceOutput: Encodable {
        let interface: String
        let file: String?
        /// "planned", "skipped", or as in what a change prints; "failed" where it did.
        var outcome: String
        let swaps: Int
        let steps: [StepOutput]
        var mode: String?
        var fellBackToGeneric: Bool?
        var change: UInt64?
        var members: [ChangeOutput.MemberOutput]?
        var notes: [String]?
        /// What the checks found.
        var checks: [CheckOutput]?
        var error: FailureReport.Content?
    }

    let format = 1
    let dryRun: Bool
    let interfaces: [InterfaceOutput]
}

extension ApplyOutput.InterfaceOutput {
    init(_ planned: PlannedInterface, checks found: [CheckFinding]? = nil) {
        checks = found?.map(CheckOutput.init)
        interface = planned.name
        file = planned.file
        swaps = planned.plan.swaps
        steps = planned.plan.steps.map(ApplyOutput.StepOutput.init)
        if planned.interface == nil {
            outcome = "skipped"
        } else {
            outcome = planned.plan.swaps == 0 ? "unchanged" : "planned"
        }
    }

    mutating func add(_ report: ChangeReport) {
        let output = ChangeOutput(report)
        outcome = output.outcome
        mode = output.mode
        fellBackToGeneric = output.fellBackToGeneric
        change = output.change
        members = output.members
        notes = output.notes
        checks = output.checks
    }

    mutating func fail(_ error: XDPError, withDetails: Bool) {
        outcome = "failed"
        self.error = FailureReport.Content(error, withDetails: withDetails)
    }
}

extension ApplyOutput.StepOutput {
    init(_ step: ChainPlan.Step) {
        switch step {
        case .attach(let mode): self.init(action: "attach", detail: "\(mode.rawValue) mode")
        case .detach: self.init(action: "detach")
        case .adopt(let member, let program):
            self.init(
                action: "adopt", member: member, detail: "program \(program), which somebody else attached")
        case .add(let member, let origin): self.init(action: "add", member: member, detail: origin)
        case .replace(let member, let reasons):
            self.init(action: "replace", member: member, detail: reasons.joined(separator: ", "))
        case .remove(let member, let isAdopted):
            self.init(
                action: "remove", member: member,
                detail: isAdopted ? "somebody else loaded it; `xdpctl release` would give it back" : nil)
        case .keep(let member): self.init(action: "keep", member: member)
        case .path(let member, let path): self.init(action: "path", member: member, detail: path)
        case .order(let names): self.init(action: "order", detail: names.joined(separator: " → "))
        case .edge(let member, let verdict, let old, let new):
            self.init(action: "edge", member: member, detail: "\(verdict) to \(new), was \(old)")
        case .counters(let old, let new):
            self.init(action: "counters", detail: "\(new.rawValue), was \(old.rawValue)")
        case .fallback(let old, let new): self.init(action: "fallback", detail: "\(new), was \(old)")
        }
    }
}
