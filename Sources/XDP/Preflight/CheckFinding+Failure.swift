// SPDX-License-Identifier: Apache-2.0
import BPF

extension CheckFinding {
    /// Members that could not even be built for a check: an error, unless it is the right to do it that lacks.
    public init(notCheckable error: XDPError, of interface: String) {
        let mayLoad = Capability.effective().isSuperset(of: [.bpf, .networkAdministration])
        self.init(
            "build", mayLoad ? .error : .note, of: interface,
            mayLoad
                ? "\(error.what): \(error.why)"
                : "the members cannot be checked without the right to load programs: \(error.why)",
            consequence: mayLoad ? "the change fails" : nil, remedy: error.remedy)
        if mayLoad { return }
        evidence = [error.what]
    }
}
