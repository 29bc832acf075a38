// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A directory outside the package that goes with this value, with the files in it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard mkdir(path, 0o700) == 0 else { throw Subprocess.Failure(what: "mkdir \(path)") }
    }

    deinit {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(path)/\(name)")
            }
            closedir(stream)
        }
        rmdir(path)
    }

    /// Writes a file, or writes over it; returns its path.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        guard let stream = fopen(file, "w") else { throw Subprocess.Failure(what: "create \(file)") }
        defer { fclose(stream) }
        guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else {
            throw Subprocess.Failure(what: "write \(file)")
        }
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    /// A copy of a file.
    @discardableResult
    func copy(_ original: String, as name: String) throws -> String {
        try write(name, TemporaryFile.contents(of: original))
    }
}
