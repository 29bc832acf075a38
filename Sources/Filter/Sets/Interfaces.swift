// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Interfaces of the thread's network namespace.
enum Interfaces {
    static func name(_ index: UInt32) -> String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(index, &name) != nil else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
