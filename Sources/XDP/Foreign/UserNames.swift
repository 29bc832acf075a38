// SPDX-License-Identifier: Apache-2.0
import BPF

/// The names of users, from the text of `/etc/passwd`. (The C library would load modules for it, which a static
/// program cannot.)
struct UserNames {
    private let names: [UInt32: String]

    init(_ bytes: [UInt8] = SmallFile.bytes(of: "/etc/passwd", limit: 4 << 20)) {
        var names: [UInt32: String] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            // name:password:number:…
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count > 2, !fields[0].isEmpty,
                let number = UInt32(String(decoding: fields[2], as: UTF8.self)), names[number] == nil
            else { continue }
            names[number] = String(decoding: fields[0], as: UTF8.self)
        }
        self.names = names
    }

    subscript(_ user: UInt32) -> String? { names[user] }
}
