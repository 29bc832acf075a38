// SPDX-License-Identifier: Apache-2.0

/// To what the memory of maps is counted.
enum MemoryCheck: MachineCheck {
    static let group = CheckGroup.memory

    private static let subject = "memory of maps"

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        switch facts.memory {
        case .unknown(let reason): findings.unknown(.memoryLimit, of: subject, because: reason)
        case .controlGroup:
            findings.fine(
                .memoryLimit, of: subject, "it counts to the control group of who makes them",
                evidence: ["a map could be made while no locked memory was allowed"])
        case .lockedMemory(let soft, _) where soft == nil:
            findings.fine(
                .memoryLimit, of: subject, "it counts as locked memory, of which there may be any amount",
                evidence: ["RLIMIT_MEMLOCK: unlimited"])
        case .lockedMemory(let soft, let hard):
            let limits = [soft, hard].map { $0.map(SettingCheck.bytes) ?? "unlimited" }
            findings.add(
                .memoryLimit, of: subject, "it counts as locked memory, of which there may be \(limits[0])",
                evidence: [
                    "no map could be made while no locked memory was allowed",
                    "RLIMIT_MEMLOCK: \(limits[0]), at most \(limits[1])",
                ],
                consequence:
                    "larger maps and programs are refused with EPERM; xdpctl raises the limit where it "
                    + "may, other loaders may not",
                remedy: "`ulimit -l unlimited`, or LimitMEMLOCK=infinity in the service's unit",
                repair: .byHand)
        }
    }
}
