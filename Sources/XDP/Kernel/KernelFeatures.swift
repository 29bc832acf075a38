// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What this kernel allows beyond the oldest one that is supported, as loading needs it.
struct KernelFeatures {
    /// The limits that the linker may use, all probed.
    static func limits() -> LinkLimits {
        LinkLimits(
            hasLongJumps: KernelSurvey.support(for: .longJumps) == .supported,
            frameRounding: KernelSurvey.support(for: .fineFrames) == .supported ? 16 : 32)
    }

    /// Has the card of an interface take the smallest program; an ordinary one refuses with a bare EINVAL.
    static func checkOffload(to interface: Interface, _ what: String) throws(XDPError) {
        var image = ProgramImage.passing("xdpctl_probe")
        image.offloadInterface = interface.index
        do throws(BPFError) {
            _ = try Program.load(image)
        } catch {
            if error.errno == .notPermitted { throw XDPError(error, during: what) }
            throw XDPError(
                .refused, what,
                because: "the card behind \(interface.name) takes no programs: "
                    + (error.errno?.description ?? error.description),
                remedy: "The card cannot run programs itself; use native mode")
        }
    }

    /// `BPF_F_XDP_HAS_FRAGS`, Linux 5.18.
    static func hasFrags() -> Bool {
        KernelSurvey.support(for: .frags) == .supported
    }
}
