// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

extension ProgramCode {
    /// The code of a unit.
    ///
    /// The names of kernel functions are read from the kernel's types, and so is the content of maps that
    /// nobody can change any more, such as `.rodata`. What cannot be read is left unknown.
    ///
    /// - Parameter mapIDs: the kernel's ids of the unit's maps, in their order, if they exist.
    public init(_ unit: Unit, mapIDs: [UInt32] = []) {
        self.init(
            name: unit.program, instructions: unit.instructions, maps: unit.maps, mapIDs: mapIDs,
            functions: unit.functions, lines: unit.lines, supportsFrags: unit.supportsFrags)
        callees = Self.callees(of: unit)
        for (place, id) in zip(unit.maps.indices, mapIDs) where unit.maps[place].isInternal {
            do throws(BPFError) {
                constants[place] = try MapHandle(id: id).map.constantValue()
            } catch {
                // Without the right to open maps by id the values are unknown.
            }
        }
    }

    private static func callees(of unit: Unit) -> [Int: Callee] {
        var callees: [Int: Callee] = [:]
        var references: [Int: KernelFunctionNames.Reference] = [:]
        for (index, instruction) in unit.instructions.enumerated() {
            if let helper = instruction.helperCall {
                callees[index] = .helper(UInt32(bitPattern: helper))
            } else if instruction.isKernelFunctionCall {
                callees[index] = .unknown
                let module = Int(instruction.offset) - 1
                guard module < 0 || unit.modules.indices.contains(module) else { continue }
                references[index] = KernelFunctionNames.Reference(
                    type: UInt32(bitPattern: instruction.immediate),
                    module: module < 0 ? nil : unit.modules[module])
            }
        }
        let names = KernelFunctionNames.names(of: Set(references.values))
        for (index, reference) in references {
            guard let name = names[reference] else { continue }
            callees[index] = .kernelFunction(name, module: reference.module?.name)
        }
        return callees
    }
}
