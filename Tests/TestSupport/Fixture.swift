// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The compiled C programs: `Tests/Fixtures` and `Examples/Programs`, after `make fixtures`.
///
/// They are looked for in `.build/bpf` of this repository, or in the directory that the environment variable
/// `XDP_FIXTURES` names, below `fixtures` and `examples`.
public enum Fixture {
    /// The object made from `Tests/Fixtures/NAME.c`.
    public static func path(_ name: String) throws(MissingFixture) -> String {
        try object("fixtures/\(name).o")
    }

    /// The object made from `Examples/Programs/NAME.c`.
    public static func example(_ name: String) throws(MissingFixture) -> String {
        try object("examples/\(name).o")
    }

    /// The folder that holds the two.
    public static let directory: String =
        if let override = getenv("XDP_FIXTURES") {
            String(cString: override)
        } else {
            // This file is Tests/TestSupport/Fixture.swift.
            "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/.build/bpf"
        }

    private static func object(_ name: String) throws(MissingFixture) -> String {
        let path = "\(directory)/\(name)"
        guard access(path, R_OK) == 0 else { throw MissingFixture(path: path) }
        return path
    }
}

/// A fixture that is not there, or cannot be read.
public struct MissingFixture: Error, CustomStringConvertible {
    public let path: String

    public var description: String {
        "no \(path): run `make fixtures` first, or set XDP_FIXTURES to the directory with the objects"
    }
}
