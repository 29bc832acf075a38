// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainEditor {
    /// Holds a chain that is to come against what interface and kernel give.
    ///
    /// - Parameters:
    ///   - base: the chain that runs; nil for none.
    ///   - mode: how it is attached; nil where it is to be attached as `request` says.
    ///   - running: members that ran before on this interface without a chain.
    /// - Returns: what was found, the worst first. Throws where there is an error, unless those are overridden.
    func preflight(
        _ chain: Chain, since base: Chain?, mode: AttachMode?, request: ModeRequest?,
        running: Set<String> = [], _ memory: PreflightMemory, _ what: String
    ) throws(XDPError) -> [CheckFinding] {
        var survey = PreflightSurvey(
            chain, since: base, on: interface, mode: mode, request: request, memory: memory)
        survey.running = running
        survey.isComplete = isRehearsal
        guard let (now, before) = try survey.subjects() else { return [] }
        let found = Preflight.findings(now, since: before)
        if !overridesChecks, let error = XDPError(what, refusedBy: found) { throw error }
        return found
    }

    /// What is reported of a change that was only checked.
    func rehearsed(
        _ chain: Chain, _ base: ActiveChain?, _ notes: [String], _ checks: [CheckFinding]
    ) -> ChangeReport {
        ChangeReport(
            outcome: .unchanged, interface: interface.name, mode: base?.mode ?? .native, fellBack: false,
            chain: chain, generation: base?.manifest.generation ?? 0, retries: 0, notes: notes,
            checks: checks)
    }
}
