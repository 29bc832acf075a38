// SPDX-License-Identifier: Apache-2.0
import CBPF

extension KernelTypes {
    /// A tracepoint whose arguments the kernel describes.
    public struct Tracepoint: Sendable, Hashable {
        public let name: String
        /// The type id by which a program is attached to it.
        public let id: UInt32
        /// What a program finds in its context, 8 bytes each.
        public let arguments: [Argument]
    }

    /// One argument of a tracepoint.
    public enum Argument: Sendable, Hashable {
        /// Of so many bytes.
        case number(Int)
        /// A pointer to a structure of that name.
        case structure(String)
        /// Any other pointer.
        case pointer
        case other
    }

    /// A tracepoint by its name; nil where the kernel has none of that name.
    public func tracepoint(_ name: String) -> Tracepoint? {
        // typedef void (*btf_trace_NAME)(void *, arguments), which the kernel makes for each (trace_events.h).
        let found = btf__find_by_name_kind(view.btf, "btf_trace_\(name)", 8)
        guard found > 0, let alias = view.type(UInt32(found)) else { return nil }
        let pointer = alias.pointee.type
        guard view.kind(pointer) == 2, let function = view.type(pointer)?.pointee.type else { return nil }
        let parameters = view.parameters(of: function)
        guard let first = parameters.first, argument(first) == .pointer else { return nil }
        return Tracepoint(
            name: name, id: UInt32(found), arguments: parameters.dropFirst().map { argument($0) })
    }

    private func argument(_ id: UInt32) -> Argument {
        let type = view.resolved(id)
        guard let description = view.type(type) else { return .other }
        switch view.kind(type) {
        case 1, 6, 19: return .number(Int(description.pointee.size))
        case 2:
            let target = view.resolved(description.pointee.type)
            return view.kind(target) == 4 ? .structure(view.name(target)) : .pointer
        default: return .other
        }
    }

    /// Where a field is in a structure: bytes from its beginning.
    ///
    /// - Parameter path: the field, or one in a structure in the structure: `["ns", "inum"]`. Nameless structures and unions
    ///   are looked into.
    /// - Returns: nil where there is no such field, it is a bit field, or not in one place.
    public func offset(of path: [String], in structure: String) -> Int? {
        let found = btf__find_by_name_kind(view.btf, structure, 4)
        guard found > 0 else { return nil }
        var type = UInt32(found)
        var bits = 0
        for name in path {
            guard let field = view.field(name, of: type) else { return nil }
            bits += field.bits
            type = field.type
        }
        return bits % 8 == 0 ? bits / 8 : nil
    }
}

extension BTFView {
    /// The types of a function's parameters.
    fileprivate func parameters(of id: UInt32) -> [UInt32] {
        // BTF_KIND_FUNC_PROTO
        guard kind(id) == 13, let type = type(id) else { return [] }
        let count = Int(type.pointee.info & 0xffff)
        let entries = UnsafeRawPointer(type.advanced(by: 1)).bindMemory(to: btf_param.self, capacity: count)
        return (0..<count).map { entries[$0].type }
    }

    /// A field by its name, also of nameless structures in the structure.
    fileprivate func field(_ name: String, of id: UInt32, depth: Int = 0) -> (type: UInt32, bits: Int)? {
        let id = resolved(id)
        // A structure cannot be in itself; the bound is for damaged types.
        guard depth < 8, let type = type(id) else { return nil }
        let hasBitFields = type.pointee.info >> 31 == 1
        for member in members(of: id) {
            let isBitField = hasBitFields && member.offset >> 24 != 0
            let bits = Int(hasBitFields ? member.offset & 0xff_ffff : member.offset)
            if member.name == name { return isBitField ? nil : (member.type, bits) }
            guard member.name.isEmpty, let inner = field(name, of: member.type, depth: depth + 1) else {
                continue
            }
            return (inner.type, bits + inner.bits)
        }
        return nil
    }
}
