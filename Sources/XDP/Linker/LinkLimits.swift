// SPDX-License-Identifier: Apache-2.0

/// What the kernel allows one program; the linker keeps within it before the kernel is asked.
public struct LinkLimits: Sendable, Hashable {
    /// Whether `gotol` exists (Linux 6.6), for jumps over more than 32767 instructions.
    public var hasLongJumps: Bool
    /// The multiple of bytes to which the verifier rounds each frame: 16 where the JIT compiler is on and the
    /// kernel knows (since 6.8), 32 before.
    public var frameRounding: Int
    /// Stack bytes of a call chain (MAX_BPF_STACK).
    public var stack = 512
    /// Frames of a call chain (MAX_CALL_FRAMES).
    public var frames = 8
    /// Maps that instructions refer to (MAX_USED_MAPS).
    public var maps = 64
    /// Functions (BPF_MAX_SUBPROGS).
    public var subprograms = 256
    /// Instructions (BPF_COMPLEXITY_LIMIT_INSNS); the verifier's own work has the same limit.
    public var instructions = 1_000_000
    /// Stack bytes above a call from which a tail call is not allowed.
    public var stackBeforeTailCall = 256

    public init(hasLongJumps: Bool, frameRounding: Int) {
        self.hasLongJumps = hasLongJumps
        self.frameRounding = frameRounding
    }

    /// What every kernel from 5.10 grants.
    public static let oldest = LinkLimits(hasLongJumps: false, frameRounding: 32)
}
