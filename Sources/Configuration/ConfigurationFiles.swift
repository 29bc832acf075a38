// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// The files that were named, read: what they say of each interface, and what is wrong with them.
public struct ConfigurationFiles: Sendable {
    public private(set) var entries: [InterfaceEntry] = []
    public private(set) var findings: [Finding] = []

    /// - Parameter paths: files, and directories whose `*.yaml` and `*.yml` are read in the order of their names.
    public init(_ paths: [String]) {
        for path in paths {
            if Self.isDirectory(path) {
                for file in files(in: path) { read(file) }
            } else {
                read(path)
            }
        }
    }

    private mutating func read(_ path: String) {
        guard let text = contents(path) else { return }
        let decoder = FileDecoder(file: path, text: text)
        findings += decoder.findings
        for entry in decoder.entries {
            if let other = entries.first(where: { $0.name == entry.name }) {
                let first = other.finding(.invalid, at: .interface, "")
                findings.append(
                    entry.finding(
                        .invalid, at: .interface,
                        "\(entry.name) is described twice, first at \(first.location)",
                        remedy: "a file says the whole chain of an interface; keep one of them"))
            } else {
                entries.append(entry)
            }
        }
    }

    private mutating func files(in directory: String) -> [String] {
        guard let stream = opendir(directory) else {
            failed(directory)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            // What editors and package managers leave behind begins with a dot or ends otherwise.
            if !name.hasPrefix("."), name.hasSuffix(".yaml") || name.hasSuffix(".yml") { names.append(name) }
        }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        return names.sorted().map { prefix + $0 }.filter { !Self.isDirectory($0) }
    }

    private mutating func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            failed(path)
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        // One byte more than allowed tells the reader that there is too much.
        while bytes.count <= YAMLReader.largestText {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                failed(path)
                return nil
            }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }

    private mutating func failed(_ path: String) {
        findings.append(
            Finding(.failed, file: path, "it cannot be read: \(String(cString: strerror(errno)))"))
    }

    private static func isDirectory(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }
}
