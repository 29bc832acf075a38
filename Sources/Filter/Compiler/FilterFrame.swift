// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What the parts of the generated code agree on: registers and stack.
///
/// | Register | Content |
/// |---|---|
/// | r6 | the context, everywhere |
/// | r7 | while a rule acts: its record in the frozen tables (``RuleRecord``), readable for ``RuleRecord/size`` bytes |
/// | r8, r9 | free for each part within itself; r9 is kept by the code of actions |
/// | r0–r5 | scratch |
///
/// | Stack | Content |
/// |---|---|
/// | ``sourceAddress``, ``destinationAddress`` | 16 bytes each: IPv4 in the first four, the rest zero; all zero without IP header |
/// | ``ipVersion`` | 8 bytes: 4, 6, or 0 without a valid IP header |
/// | ``length`` | 8 bytes: the frame's length, all buffers |
/// | ``scratch`` | 48 bytes for keys and the like, aligned to 8; nothing survives there from part to part |
///
/// Everything is an offset from r10. What a filter does not need has no place (nil).
public struct FilterFrame: Sendable, Hashable {
    public var sourceAddress: Int16?
    public var destinationAddress: Int16?
    public var ipVersion: Int16?
    public var length: Int16?
    public var scratch: Int16
    public static let scratchSize = 48

    public init(scratch: Int16) {
        self.scratch = scratch
    }
}

/// What the tables hold of a rule that acts.
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 0 | 1 | ``Kind`` |
/// | 1 | 1 | the verdict (`decide`, the excess of `limit`) |
/// | 2 | 2 | the place in the devmap (`redirect`) |
/// | 4 | 4 | the number of the counter through all pages plus one (``CounterPlace/number``); 0: counts nowhere |
/// | 8 | 4 | which rule, from 1, for reports and buckets: stable while a rule set is. The same number as the counter where there is one; but rules that limit or log never share a number, also where they share a counter |
/// | 12 | 4 | the place among final rules before which a rule that does not decide stands |
/// | 16 | 48 | what the action itself keeps: `limit` and `log` say what |
///
/// Numbers are in host order.
public enum RuleRecord {
    public static let size = 64
    public static let parameters = 16

    public enum Kind: UInt8, Sendable {
        case decide = 1
        case redirect = 2
        case limit = 3
        case log = 4
        case count = 5
    }
}
