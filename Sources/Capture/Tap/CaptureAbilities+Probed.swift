// SPDX-License-Identifier: Apache-2.0
import XDP

extension CaptureAbilities {
    /// Those of this kernel, asked once.
    public static func probed() -> CaptureAbilities { known }

    private static let known: CaptureAbilities = {
        var abilities = CaptureAbilities()
        // `bpf_xdp_load_bytes` came with them.
        abilities.hasBufferAccess = KernelSurvey.support(for: .frags) == .supported
        return abilities
    }()
}
