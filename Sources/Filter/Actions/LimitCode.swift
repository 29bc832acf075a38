// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The code of ``Action/limit(_:)``: one piece for all limits of a filter, which reads of each what
/// ``LimitParameters`` wrote.
public enum LimitCode {
    /// Emits the code: jumps to `exceeded` if the packet of the rule at r7 is beyond its limit, and else to `within`.
    ///
    /// - Parameters:
    ///   - frame: a place that it lacks (an address, the length) is one that no rule's limit needs.
    ///   - bucketsMap: the place of the map that ``ActionMaps/buckets(for:)`` defines.
    public static func emit(
        into code: inout Assembler, frame: FilterFrame, bucketsMap: Int32,
        abilities: CompilerInput.KernelAbilities, exceeded: Label, within: Label
    ) {
        emitKey(into: &code, frame)
        emitQuantity(into: &code, frame)
        BucketCode(scratch: frame.scratch, map: bucketsMap, hasCompareExchange: abilities.hasCompareExchange)
            .emit(into: &code, exceeded: exceeded, within: within)
    }

    private static func parameter(_ offset: Int) -> Int16 { Int16(RuleRecord.parameters + offset) }

    /// The rule and the packet's network, at the beginning of the scratch.
    private static func emitKey(into code: inout Assembler, _ frame: FilterFrame) {
        let family = frame.scratch + 4
        let network = frame.scratch + 8
        code.append([
            .load(.word, .r1, from: .r7, offset: 8),
            .store(.word, .r1, to: .framePointer, offset: frame.scratch),
            .move(.r1, 0), .move(.r2, 0), .move(.r3, 0),
        ])
        let done = code.label()
        if let version = frame.ipVersion, frame.sourceAddress != nil || frame.destinationAddress != nil {
            code.append([
                .load(.byte, .r5, from: .r7, offset: parameter(LimitParameters.Offset.kind)),
                .alu64(.and, .r5, Int32(~LimitParameters.countsBytes)),
            ])
            code.jump(.equal, .r5, 0, to: done)
            code.append(.load(.doubleWord, .r1, from: .framePointer, offset: version))
            code.jump(.equal, .r1, 0, to: done)
            emitAddress(into: &code, frame)
            emitMask(into: &code)
        }
        code.place(done)
        code.append([
            .store(.word, .r1, to: .framePointer, offset: family),
            .store(.doubleWord, .r2, to: .framePointer, offset: network),
            .store(.doubleWord, .r3, to: .framePointer, offset: network + 8),
        ])
    }

    /// The address that the scope in r5 names, in r2 and r3.
    private static func emitAddress(into code: inout Assembler, _ frame: FilterFrame) {
        let taken = code.label()
        if let source = frame.sourceAddress {
            let isDestination = code.label()
            code.jump(.notEqual, .r5, 1, to: isDestination)
            code.append([
                .load(.doubleWord, .r2, from: .framePointer, offset: source),
                .load(.doubleWord, .r3, from: .framePointer, offset: source + 8),
            ])
            code.jump(to: taken)
            code.place(isDestination)
        }
        if let destination = frame.destinationAddress {
            code.append([
                .load(.doubleWord, .r2, from: .framePointer, offset: destination),
                .load(.doubleWord, .r3, from: .framePointer, offset: destination + 8),
            ])
        }
        code.place(taken)
    }

    /// Cuts off what the family in r1 does not tell apart.
    private static func emitMask(into code: inout Assembler) {
        let isIPv6 = code.label()
        let masked = code.label()
        code.jump(.notEqual, .r1, 4, to: isIPv6)
        // Behind an IPv4 address are zeros, and the load clears the upper half.
        code.append([
            .load(.word, .r4, from: .r7, offset: parameter(LimitParameters.Offset.mask4)),
            .alu64(.and, .r2, .r4), .move(.r3, 0),
        ])
        code.jump(to: masked)
        code.place(isIPv6)
        code.append([
            .load(.doubleWord, .r4, from: .r7, offset: parameter(LimitParameters.Offset.mask6)),
            .alu64(.and, .r2, .r4),
            .load(.doubleWord, .r4, from: .r7, offset: parameter(LimitParameters.Offset.mask6 + 8)),
            .alu64(.and, .r3, .r4),
        ])
        code.place(masked)
    }

    /// 1, or the packet's bytes, in r8.
    private static func emitQuantity(into code: inout Assembler, _ frame: FilterFrame) {
        code.append(.move(.r8, 1))
        guard let length = frame.length else { return }
        let known = code.label()
        code.append(.load(.byte, .r1, from: .r7, offset: parameter(LimitParameters.Offset.kind)))
        code.jump(.less, .r1, Int32(LimitParameters.countsBytes), to: known)
        code.append(.load(.doubleWord, .r8, from: .framePointer, offset: length))
        code.jump(.lessOrEqual, .r8, 65_535, to: known)
        code.append(.move(.r8, 65_535))
        code.place(known)
    }
}
