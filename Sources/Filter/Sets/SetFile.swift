// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import XDP

/// A file with an element a line, read in pieces: what it costs is what its elements cost.
struct SetFile {
    let path: String
    let declaration: SetDeclaration
    let limit: Int
    private let interface: (String) -> UInt32?
    private(set) var unknownInterfaces: [String] = []
    private var findings: [Finding] = []
    private var problems = 0
    /// The first network with bits beyond its length.
    private var hostBitsLine: Int?

    /// As many as help; the rest is counted.
    static let shownFindings = 20
    /// A file with more is another kind of file.
    static let mostProblems = 10_000

    init(_ path: String, _ declaration: SetDeclaration, limit: Int, interface: @escaping (String) -> UInt32?)
    {
        self.path = path
        self.declaration = declaration
        self.limit = limit
        self.interface = interface
    }

    /// Reads all of it, and gives the SHA-256 of what was read.
    mutating func read(into contents: inout SetContents) throws(XDPError) -> [UInt8] {
        let descriptor = try opened()
        defer { close(descriptor) }
        let room = SetSource.chunk + SetSource.longestLine + 1
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        defer { memory.deallocate() }
        var digest = SHA256()
        var reader = ElementReader(contents.layout, timeout: declaration.timeout, interface: interface)
        // What is left of the piece before: the beginning of a line.
        var kept = 0
        var line = 0
        var isInLongLine = false
        var isFirst = true
        while true {
            let count = try readPiece(descriptor, memory + kept)
            digest.update(UnsafeRawBufferPointer(start: memory + kept, count: count))
            let end = kept + count
            var start = 0
            if isFirst, end >= 3, memory[0] == 0xef, memory[1] == 0xbb, memory[2] == 0xbf { start = 3 }
            isFirst = false
            while start < end {
                let found = memchr(memory + start, 10, end - start)
                // The last line may lack its end.
                if found == nil, count > 0 { break }
                let stop = found.map { $0.assumingMemoryBound(to: UInt8.self) - memory } ?? end
                line += 1
                if isInLongLine {
                    isInLongLine = false
                } else {
                    try take(memory, start..<stop, line, &reader, &contents)
                }
                start = stop + 1
            }
            if count == 0 { break }
            kept = max(end - start, 0)
            if isInLongLine {
                kept = 0
            } else if kept > SetSource.longestLine {
                try complain(
                    line + 1,
                    ElementProblem(
                        1, "the line is longer than \(SetSource.longestLine) bytes",
                        expected: "one element a line"))
                isInLongLine = true
                kept = 0
            } else if kept > 0 {
                memmove(memory, memory + start, kept)
            }
        }
        unknownInterfaces = reader.unknownInterfaces
        try finish()
        if reader.hostBits > 0 {
            let more = reader.hostBits > 1 ? ", and \(reader.hostBits - 1) more" : ""
            contents.warnings.append(
                Finding(
                    .refused, file: path, line: hostBitsLine,
                    "the network has bits beyond its length\(more); the network that it lies in is meant",
                    remedy: "write the network's own address if another one was meant"))
        }
        return digest.finish()
    }

    private mutating func take(
        _ memory: UnsafeMutablePointer<UInt8>, _ range: Range<Int>, _ line: Int,
        _ reader: inout ElementReader,
        _ contents: inout SetContents
    ) throws(XDPError) {
        var count = range.count
        if count > 0, memory[range.upperBound - 1] == 13 { count -= 1 }
        let text = UnsafeBufferPointer(start: memory + range.lowerBound, count: count)
        let before = reader.hostBits
        do throws(ElementProblem) {
            _ = try reader.read(text, into: &contents)
        } catch {
            if memchr(memory + range.lowerBound, 0, count) != nil {
                throw XDPError(
                    .invalid, "The set \(declaration.name) cannot be read from \(path)",
                    because: "line \(line) has a byte 0, so this is no text",
                    remedy: "Give a text file with one element a line")
            }
            try complain(line, error)
        }
        if reader.hostBits != before, hostBitsLine == nil { hostBitsLine = line }
        if contents.count > limit { throw Self.tooMany(limit, declaration, "\(path), by line \(line),") }
    }

    static func tooMany(_ limit: Int, _ declaration: SetDeclaration, _ place: String) -> XDPError {
        XDPError(
            .refused, "The set \(declaration.name) is too large",
            because: "\(place) has more than \(limit) elements",
            remedy: "Declare the set with a `capacity` if it is to be that large")
    }

    private mutating func complain(_ line: Int, _ problem: ElementProblem) throws(XDPError) {
        problems += 1
        if findings.count < Self.shownFindings {
            findings.append(
                Finding(
                    .invalid, file: path, line: line, column: problem.column, problem.what,
                    remedy: problem.remedy))
        }
        if problems == Self.mostProblems { try finish() }
    }

    /// Throws what was found.
    private func finish() throws(XDPError) {
        guard problems > 0 else { return }
        let more = problems - findings.count
        let kind = declaration.kinds.map(\.rawValue).joined(separator: " . ")
        var why = findings.first?.description ?? ""
        if problems > 1 {
            why += "; and \(problems - 1)\(problems == Self.mostProblems ? " or more" : "") other lines"
        }
        var error = XDPError(
            .invalid, "The set \(declaration.name) cannot be read from \(path)", because: why,
            remedy: "Give one element a line, of the kind \(kind)")
        error.findings = findings
        if more > 0 {
            error.findings.append(
                Finding(
                    .invalid, file: path,
                    "and \(more)\(problems == Self.mostProblems ? " or more" : "") more lines"))
        }
        throw error
    }

    // MARK: The file

    private func opened() throws(XDPError) -> Int32 {
        let descriptor = path == "/dev/stdin" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno) }
        var information = stat()
        if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw failure(EISDIR)
        }
        return descriptor
    }

    /// As much as there is room for; 0 at the end.
    private func readPiece(_ descriptor: Int32, _ memory: UnsafeMutablePointer<UInt8>) throws(XDPError) -> Int
    {
        while true {
            let count = Glibc.read(descriptor, memory, SetSource.chunk)
            if count >= 0 { return count }
            if errno != EINTR { throw failure(errno) }
        }
    }

    private func failure(_ number: Int32) -> XDPError {
        let error = Errno(rawValue: number)
        return XDPError(
            .failed, "The set \(declaration.name) cannot be read from \(path)",
            because: "\(error.description) [\(error.name)]",
            remedy: number == ENOENT ? "A path is relative to the directory of the rule file" : nil)
    }
}
