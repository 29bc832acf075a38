// SPDX-License-Identifier: Apache-2.0
import CBPF

/// A look at the BTF of an open object through libbpf. Valid as long as the object is.
struct BTFView {
    let btf: OpaquePointer

    /// One member of a structure or one variable of a section.
    struct Member {
        var name: String
        var type: UInt32
        /// Bytes for variables, bits for structure members.
        var offset: UInt32
        /// Bytes; only for variables.
        var size: UInt32
    }

    var typeCount: UInt32 { btf__type_cnt(btf) }

    func type(_ id: UInt32) -> UnsafePointer<btf_type>? { btf__type_by_id(btf, id) }

    func kind(_ id: UInt32) -> UInt32 {
        guard let type = type(id) else { return 0 }
        return type.pointee.info >> 24 & 0x1f
    }

    func name(_ id: UInt32) -> String {
        guard let type = type(id) else { return "" }
        return string(type.pointee.name_off)
    }

    func string(_ offset: UInt32) -> String {
        guard let text = btf__str_by_offset(btf, offset) else { return "" }
        return String(cString: text)
    }

    /// The type behind typedefs and qualifiers; bounded, so that a cycle ends.
    func resolved(_ id: UInt32) -> UInt32 {
        var current = id
        for _ in 0..<32 {
            // typedef 8, volatile 9, const 10, restrict 11, type tag 18
            guard [8, 9, 10, 11, 18].contains(kind(current)), let type = type(current) else { return current }
            current = type.pointee.type
        }
        return 0
    }

    /// The variables of a DATASEC, or the members of a structure or union.
    func members(of id: UInt32) -> [Member] {
        guard let type = type(id) else { return [] }
        let count = Int(type.pointee.info & 0xffff)
        let rest = UnsafeRawPointer(type.advanced(by: 1))
        switch kind(id) {
        case 15:
            let entries = rest.bindMemory(to: btf_var_secinfo.self, capacity: count)
            return (0..<count).compactMap { index in
                let entry = entries[index]
                guard kind(entry.type) == 14, let variable = self.type(entry.type) else { return nil }
                return Member(
                    name: name(entry.type), type: variable.pointee.type, offset: entry.offset,
                    size: entry.size)
            }
        case 4, 5:
            let entries = rest.bindMemory(to: btf_member.self, capacity: count)
            return (0..<count).map { index in
                Member(
                    name: string(entries[index].name_off), type: entries[index].type,
                    offset: entries[index].offset, size: 0)
            }
        default: return []
        }
    }

    /// The element type and the number of elements of an array type.
    func array(_ id: UInt32) -> (element: UInt32, count: UInt32)? {
        guard kind(id) == 3, let type = type(id) else { return nil }
        let array = UnsafeRawPointer(type.advanced(by: 1)).load(as: btf_array.self)
        return (array.type, array.nelems)
    }

    /// The names and values of an enumeration of up to 32 bits.
    func enumerators(of id: UInt32) -> [(name: String, value: Int32)] {
        guard kind(id) == 6, let type = type(id) else { return [] }
        let count = Int(type.pointee.info & 0xffff)
        let entries = UnsafeRawPointer(type.advanced(by: 1)).bindMemory(to: btf_enum.self, capacity: count)
        return (0..<count).map { (string(entries[$0].name_off), entries[$0].val) }
    }

    /// The DATASEC of a name; nil where there is none.
    func dataSection(_ name: String) -> UInt32? {
        let id = btf__find_by_name_kind(btf, name, 15)
        return id > 0 ? UInt32(id) : nil
    }

    /// All DATASECs.
    var dataSections: [UInt32] {
        (1..<max(1, typeCount)).filter { kind($0) == 15 }
    }

    /// A text that is equal for two types of the same layout: names, sizes and offsets, followed through
    /// structures, arrays and pointers. Recursive types are cut where they close.
    func signature(of id: UInt32) -> String {
        var seen: [UInt32] = []
        var budget = 4096
        return signature(of: id, &seen, &budget)
    }

    private func signature(of id: UInt32, _ seen: inout [UInt32], _ budget: inout Int) -> String {
        budget -= 1
        guard budget > 0 else { return "…" }
        let id = resolved(id)
        guard let type = type(id) else { return id == 0 ? "void" : "?" }
        if let place = seen.firstIndex(of: id) { return "^\(seen.count - place)" }
        seen.append(id)
        defer { seen.removeLast() }
        switch kind(id) {
        case 1:
            let encoding = UnsafeRawPointer(type.advanced(by: 1)).load(as: UInt32.self)
            return "int\(type.pointee.size):\(encoding)"
        case 2:
            let target = resolved(type.pointee.type)
            return "*" + (kind(target) == 4 || kind(target) == 5 ? name(target) : "")
        case 3:
            guard let (element, count) = array(id) else { return "?" }
            return "\(signature(of: element, &seen, &budget))[\(count)]"
        case 4, 5:
            var text = "\(kind(id) == 4 ? "struct" : "union") \(name(id))/\(type.pointee.size){"
            for member in members(of: id) {
                text += "\(member.name)@\(member.offset) \(signature(of: member.type, &seen, &budget));"
            }
            return text + "}"
        case 15:
            var text = "section{"
            for variable in members(of: id) {
                text += "\(variable.name)@\(variable.offset)/\(variable.size) "
                text += signature(of: variable.type, &seen, &budget) + ";"
            }
            return text + "}"
        case 6, 19: return "enum \(name(id))/\(type.pointee.size)"
        case 16: return "float\(type.pointee.size)"
        default: return "kind\(kind(id))"
        }
    }
}
