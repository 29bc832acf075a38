// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What this kernel allows beyond the oldest one that is supported, found out by loading the smallest
/// program that shows it.
struct KernelFeatures {
    /// The limits that the linker may use, all probed.
    static func limits() -> LinkLimits {
        LinkLimits(hasLongJumps: hasLongJumps(), frameRounding: hasFineFrames() ? 16 : 32)
    }

    /// `gotol`, Linux 6.6.
    private static func hasLongJumps() -> Bool {
        loads([.longJump(0), .move(.r0, 2), .exit])
    }

    /// Two frames that fit only where each is rounded up to 16 bytes: 464 + 48 of 512, against 480 + 64.
    private static func hasFineFrames() -> Bool {
        let program: [Instruction] = [
            .storeImmediate(.doubleWord, 0, to: .framePointer, offset: -464),
            .call(relative: 1), .exit,
            .storeImmediate(.doubleWord, 0, to: .framePointer, offset: -48),
            .move(.r0, 2), .exit,
        ]
        return loads(program)
    }

    /// Has the card of an interface take the smallest program; an ordinary one refuses with a bare EINVAL.
    static func checkOffload(to interface: Interface, _ what: String) throws(XDPError) {
        var image = ProgramImage(
            name: "xdpctl_probe", instructions: [.move(.r0, 2), .exit], license: "GPL")
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
        loads([.move(.r0, 2), .exit], supportsFrags: true)
    }

    private static func loads(_ instructions: [Instruction], supportsFrags: Bool = false) -> Bool {
        var image = ProgramImage(name: "xdpctl_probe", instructions: instructions, license: "GPL")
        image.supportsFrags = supportsFrags
        do throws(BPFError) {
            _ = try Program.load(image)
            return true
        } catch {
            return false
        }
    }
}
