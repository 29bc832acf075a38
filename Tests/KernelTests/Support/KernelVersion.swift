// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Major and minor number of a kernel.
struct KernelVersion: Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
    let major: Int
    let minor: Int

    /// The kernel that runs here; 0.0 if it does not say.
    static let running: KernelVersion = {
        var name = utsname()
        guard uname(&name) == 0 else { return "0.0" }
        return withUnsafeBytes(of: name.release) { KernelVersion(String(decoding: $0, as: UTF8.self)) }
    }()

    /// Takes "6.12" and "6.12.107+deb13-amd64".
    init(_ text: String) {
        let numbers = text.split(separator: ".", maxSplits: 2).prefix(2).map { part in
            Int(part.prefix { $0.isNumber }) ?? 0
        }
        major = numbers.first ?? 0
        minor = numbers.dropFirst().first ?? 0
    }

    init(stringLiteral text: String) { self.init(text) }

    var description: String { "\(major).\(minor)" }

    static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
