// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Registers and stack of a capture's code (``CaptureCode``), as its parts share them.
///
/// r6 is the context from beginning to end. r0 to r5 and r7 to r9 are free for each part, and hold nothing when the next one
/// begins. The code of the filter expression may use the stack below ``expression``, as far as ``expressionLimit``.
public enum CaptureFrame {
    /// 8 bytes: the address of the packet's own 8 bytes (``Tap``: r4).
    public static let packet: Int16 = -8
    /// 4 bytes each: the number of the point, and the verdict.
    public static let point: Int16 = -16
    public static let verdict: Int16 = -12
    /// 8 bytes: 1 where every packet lies in one buffer, else 0 (``Tap``: r5). A constant for the verifier, and only there where
    /// the kernel knows packets of several buffers (``CaptureAbilities/hasBufferAccess``).
    public static let oneBuffer: Int16 = -24
    /// Where the expression's part begins, downwards, and where it ends.
    public static let expression: Int16 = -24
    public static let expressionLimit: Int16 = -184

    // Once the expression has matched its stack is the record's.

    /// 8 bytes: the packet's number.
    static let number: Int16 = -32
    /// 4 bytes each: the packet's length, the CPU, and whether the reader is woken.
    static let length: Int16 = -36
    static let cpu: Int16 = -40
    static let wakeup: Int16 = -44
    /// 4 bytes: the key of the CPU's ring.
    static let key: Int16 = -48
}

/// What this kernel gives to captures, found out by trying.
public struct CaptureAbilities: Sendable, Hashable {
    /// `bpf_xdp_load_bytes` and `bpf_xdp_get_buff_len` (5.18): bytes and length of packets of several buffers, and bytes at
    /// places that are only known when a packet comes. Without them there are no such packets.
    public var hasBufferAccess = true

    public init() {}
}
