// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage
import XDP

/// Where a set's elements come from: its declaration, and the file that it names.
public struct SetSource {
    public let declaration: SetDeclaration
    /// Where a path that is not absolute begins: the rule file's directory.
    public let directory: String
    /// More elements than a kernel should hold; a declaration may ask for more.
    public static let standardLimit = 1 << 24
    /// What a line must not exceed, in bytes.
    static let longestLine = 4096
    static let chunk = 1 << 18

    public init(_ declaration: SetDeclaration, directory: String = ".") {
        self.declaration = declaration
        self.directory = directory
    }

    /// Whether the elements depend on more than the rule file.
    public var path: String? {
        declaration.file.map { $0.hasPrefix("/") || directory.isEmpty ? $0 : "\(directory)/\($0)" }
    }

    /// All elements, ready for maps.
    ///
    /// - Parameter interface: the number for the name of an interface; what has none is left out, with a warning.
    public func read(
        interface: @escaping (String) -> UInt32? = SetSource.interfaceIndex
    ) throws(XDPError) -> SetContents {
        let layout = SetLayout(declaration)
        var contents = SetContents(layout)
        var unknown: [String] = []
        for element in declaration.elements
        where !contents.insert(element, standardLife: declaration.timeout, interface: interface) {
            for case .interface(let name) in element.components where interface(name) == nil {
                unknown.append(name)
            }
        }
        try check(contents)
        var digest = SHA256()
        digest.update(text: described)
        for part in contents.parts {
            digest.update(text: "\(part.count)")
            part.bytes.withUnsafeBytes { digest.update($0) }
            part.lives.withUnsafeBytes { digest.update($0) }
        }
        if let path {
            var file = SetFile(path, declaration, limit: limit, interface: interface)
            digest.update(text: "file")
            let content = try file.read(into: &contents)
            content.withUnsafeBytes { digest.update($0) }
            unknown += file.unknownInterfaces
            // The same name may have become another interface.
            if layout.kinds.contains(.interface) {
                for part in contents.parts { part.bytes.withUnsafeBytes { digest.update($0) } }
            }
        }
        contents.digest = digest.finish()
        if !unknown.isEmpty {
            contents.warnings.append(
                Finding(
                    .refused, file: path ?? "set \(declaration.name)",
                    "there is no interface \(unknown.sorted().joined(separator: ", ")), so no packet comes in there",
                    remedy: "apply the rules again when it is there"))
        }
        return contents
    }

    /// Elements that are named one by one, each as a line of a file.
    public func read(lines: [String]) throws(XDPError) -> SetContents {
        var contents = SetContents(SetLayout(declaration))
        try read(lines: lines, into: &contents)
        return contents
    }

    /// The elements of one line of a file. Interfaces need not exist.
    public func elements(ofLine line: [UInt8]) throws(ElementProblem) -> [SetElement] {
        let names = NameNumbers()
        var contents = SetContents(SetLayout(declaration))
        var reader = ElementReader(
            contents.layout, timeout: declaration.timeout, interface: { names.number(of: $0) })
        _ = try line.withUnsafeBufferPointer { text throws(ElementProblem) in
            try reader.read(text, into: &contents)
        }
        return contents.elements { names.name(of: $0) }
    }

    /// The elements of the file, and others that are named one by one.
    public func read(adding lines: [String]) throws(XDPError) -> SetContents {
        var contents = try read()
        try read(lines: lines, into: &contents)
        return contents
    }

    private func read(lines: [String], into contents: inout SetContents) throws(XDPError) {
        var reader = ElementReader(
            contents.layout, timeout: declaration.timeout, interface: SetSource.interfaceIndex)
        let what = "The elements of set \(declaration.name) cannot be read"
        for line in lines {
            do throws(ElementProblem) {
                let isElement = try Array(line.utf8).withUnsafeBufferPointer { text throws(ElementProblem) in
                    try reader.read(text, into: &contents)
                }
                guard isElement else {
                    throw ElementProblem(1, "there is no element", expected: "one such as the set has")
                }
            } catch {
                throw XDPError(
                    .invalid, what, because: "in \"\(line)\": \(error.what)",
                    remedy: error.remedy.prefix(1).uppercased() + error.remedy.dropFirst())
            }
        }
        if let name = reader.unknownInterfaces.first {
            throw XDPError(.failed, what, because: "there is no interface \(name)")
        }
    }

    /// All elements one by one, for an evaluation without a kernel. Interfaces need not exist.
    public func elements() throws(XDPError) -> [SetElement] {
        let names = NameNumbers()
        return try read(interface: { names.number(of: $0) }).elements { names.name(of: $0) }
    }

    /// The index of an interface in the network namespace of the thread.
    public static func interfaceIndex(_ name: String) -> UInt32? {
        let index = if_nametoindex(name)
        return index == 0 ? nil : index
    }

    var limit: Int { max(Self.standardLimit, Int(declaration.capacity ?? 0)) }

    private func check(_ contents: SetContents) throws(XDPError) {
        guard contents.count > limit else { return }
        throw SetFile.tooMany(limit, declaration, "its declaration")
    }

    /// What else makes another set of the same elements.
    private var described: String {
        let kinds = declaration.kinds.map(\.rawValue).joined(separator: " . ")
        let room = declaration.capacity.map(String.init) ?? "-"
        return "\(kinds) \(declaration.hasTimeouts) \(declaration.timeout ?? 0) \(room)"
    }

    /// Numbers for names that nobody else knows.
    private final class NameNumbers {
        private var names: [String] = []

        func number(of name: String) -> UInt32 {
            if let place = names.firstIndex(of: name) { return UInt32(place + 1) }
            names.append(name)
            return UInt32(names.count)
        }

        func name(of number: UInt32) -> String? {
            names.indices.contains(Int(number) - 1) ? names[Int(number) - 1] : nil
        }
    }
}

extension SHA256 {
    /// A text with its length, so that no two rows of texts are the same bytes.
    mutating func update(text: String) {
        let bytes = Array("\(text.utf8.count) \(text)".utf8)
        bytes.withUnsafeBytes { update($0) }
    }
}
