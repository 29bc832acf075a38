// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import Filter

@Suite("Elements of sets, from rules and files")
struct SetSourceTests {
    /// A file that goes with this value.
    private final class File: Sendable {
        let path: String

        init(_ bytes: [UInt8]) {
            path = "/tmp/xdp-set-\(getpid())-\(UInt32.random(in: 0 ... .max)).txt"
            let stream = fopen(path, "w")
            fwrite(bytes, 1, bytes.count, stream)
            fclose(stream)
        }

        deinit { unlink(path) }
    }

    private static func declaration(
        _ kinds: [SetDeclaration.Kind], _ path: String? = nil, timeout: UInt64? = nil, timeouts: Bool = false,
        capacity: UInt32? = nil
    ) -> SetDeclaration {
        SetDeclaration(
            name: "it", kinds: kinds, file: path, timeout: timeout, hasTimeouts: timeouts, capacity: capacity)
    }

    /// The elements of a text as a listing would write them.
    private static func read(
        _ text: String, _ kinds: SetDeclaration.Kind..., timeout: UInt64? = nil, timeouts: Bool = false
    ) throws -> [String] {
        let file = File(Array(text.utf8))
        return try SetSource(declaration(kinds, file.path, timeout: timeout, timeouts: timeouts)).elements()
            .map {
                SetListing.Element(components: $0.components, remaining: $0.timeout, isDeclared: true).text
            }
    }

    private static func findings(_ text: [UInt8], _ kinds: SetDeclaration.Kind...) -> XDPError? {
        let file = File(text)
        do throws(XDPError) {
            _ = try SetSource(declaration(kinds, file.path)).elements()
            return nil
        } catch {
            return error
        }
    }

    @Test("lists as they are found in the world are read")
    func formats() throws {
        let text = """
            \u{feff}# a comment
            ; another

            192.0.2.0/24 ; SBL123
            198.51.100.7\r
              203.0.113.0/25\t# behind a tab
            10.0.0.1-10.0.0.6,
            2001:db8::/32#x
            ::1
            10.1.2.3/8
            """
        #expect(
            try Self.read(text, .prefix) == [
                "192.0.2.0/24", "198.51.100.7", "203.0.113.0/25", "10.0.0.1", "10.0.0.2/31", "10.0.0.4/31",
                "10.0.0.6",
                "10.0.0.0/8", "2001:db8::/32", "::1",
            ])
    }

    @Test("every kind and tuples are read")
    func kinds() throws {
        #expect(try Self.read("80\n90-92\n", .port) == ["80", "90", "91", "92"])
        #expect(try Self.read("tcp\n17\n", .protocol) == ["6", "17"])
        #expect(try Self.read("4095", .vlan) == ["4095"])
        #expect(
            try Self.read("02:00:00:00:00:0a\n02-00-00-00-00-0B", .mac) == [
                "02:00:00:00:00:0a", "02:00:00:00:00:0b",
            ])
        #expect(try Self.read("eth0\nwlan1 # mine", .interface) == ["eth0", "wlan1"])
        #expect(
            try Self.read("192.0.2.1 . 80\n2001:db8::1 .   443 # x\n", .address, .port)
                == ["192.0.2.1 . 80", "2001:db8::1 . 443"])
        #expect(
            try Self.read("53 . 192.0.2.1 . 192.0.2.2", .port, .address, .address) == [
                "53 . 192.0.2.1 . 192.0.2.2"
            ])
        #expect(try Self.read("192.0.2.1/32\n", .address) == ["192.0.2.1"])
    }

    @Test("elements have lives of their own, or the set's")
    func lives() throws {
        let text = "192.0.2.1\n192.0.2.2 timeout 10m # x\n192.0.2.2 timeout 1m\n"
        #expect(
            try Self.read(text, .address, timeout: 3600) == ["192.0.2.1 timeout 1h", "192.0.2.2 timeout 10m"])
        #expect(try Self.read(text, .address, timeouts: true) == ["192.0.2.1", "192.0.2.2 timeout 10m"])
        #expect(Self.findings(Array(text.utf8), .address)?.findings.first?.line == 2)
    }

    @Test(
        "what is wrong is said with line and column",
        arguments: [
            ("192.0.2.1 80", 11), ("192.0.2.256", 1), ("192.0.2.0/24", 1), ("192.0.2.1-192.0.2.3", 1),
            ("hello", 1),
            ("192.0.2.1 timeout 1h", 11), ("2001:db8::1::", 1), ("192.0.2.1/40", 11), ("\u{e4}", 1),
        ])
    func mistakes(line: String, column: Int) throws {
        let error = try #require(Self.findings(Array("192.0.2.9\n\(line)\n".utf8), .address))
        #expect(error.findings.count == 1)
        #expect(error.findings.first?.line == 2)
        #expect(error.findings.first?.column == column, "\(error)")
    }

    @Test("of many mistakes the first are shown and the rest is counted")
    func many() throws {
        let text = (0..<1000).map { "no\($0)\n" }.joined()
        let error = try #require(Self.findings(Array(text.utf8), .prefix))
        #expect(error.findings.count == 21)
        #expect(error.findings.last?.what == "and 980 more lines")
        #expect(error.kind == .invalid)
    }

    @Test("binary junk and endless lines are refused soon")
    func junk() throws {
        var generator = SeededGenerator(seed: 1)
        let junk = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        #expect(Self.findings(junk, .prefix)?.why.contains("no text") == true)
        let long = [UInt8](repeating: 49, count: 1_000_000) + Array("\n192.0.2.1\nx\n".utf8)
        let error = try #require(Self.findings(long, .prefix))
        #expect(error.findings.map(\.line) == [1, 3])
    }

    @Test("lines are read whole wherever the pieces of the file end")
    func pieces() throws {
        var text = ""
        var expected: [UInt32] = []
        var generator = SeededGenerator(seed: 3)
        for number in UInt32(0)..<60_000 {
            expected.append(number * 7919)
            let bytes = withUnsafeBytes(of: (number * 7919).bigEndian) { Array($0) }
            text += bytes.map(String.init).joined(separator: ".")
            text += String(repeating: " ", count: Int.random(in: 0...3, using: &generator)) + "\n"
        }
        text.removeLast()
        let file = File(Array(text.utf8))
        let contents = try SetSource(Self.declaration([.address], file.path)).read()
        #expect(contents.count == expected.count)
        let keys = contents.parts[0].bytes
        let read = stride(from: 0, to: keys.count, by: 4).map { place in
            keys[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        #expect(read == expected)
    }

    @Test("what is there twice counts once")
    func duplicates() throws {
        let file = File(Array(String(repeating: "192.0.2.1\n2001:db8::1\n", count: 100).utf8))
        let contents = try SetSource(Self.declaration([.prefix], file.path)).read()
        #expect(contents.count == 2)
        #expect(contents.duplicates == 198)
    }

    @Test("bits beyond a network's length are warned of once")
    func hostBits() throws {
        let file = File(Array("10.0.0.0/8\n10.0.0.1/8\n10.0.0.2/8\n2001:db8::1/32\n".utf8))
        let contents = try SetSource(Self.declaration([.prefix], file.path)).read()
        #expect(contents.count == 2)
        #expect(contents.warnings.map(\.line) == [2])
        #expect(contents.warnings.first?.what.contains("and 2 more") == true)
    }

    @Test("a set that is larger than allowed is refused at the line where it becomes so")
    func tooLarge() throws {
        let text = (0..<100).map { "10.0.0.\($0)\n" }.joined()
        let file = File(Array(text.utf8))
        var contents = SetContents(SetLayout(Self.declaration([.address])))
        var reader = SetFile(file.path, Self.declaration([.address]), limit: 50, interface: { _ in nil })
        let error = #expect(throws: XDPError.self) { try reader.read(into: &contents) }
        #expect(error?.why.contains("line 51") == true)
        #expect(error?.kind == .refused)
    }

    @Test("a file that is not there, or is a directory, is named")
    func missing() {
        for path in ["/nonexistent/list", "/tmp"] {
            let error = #expect(throws: XDPError.self) {
                try SetSource(Self.declaration([.address], path)).elements()
            }
            #expect(error?.what.contains(path) == true)
            #expect(error?.kind == .failed)
        }
    }

    @Test("the digest changes with the content, and with nothing else")
    func digests() throws {
        let file = File(Array("192.0.2.1\n".utf8))
        let same = File(Array("192.0.2.1\n".utf8))
        let other = File(Array("192.0.2.2\n".utf8))
        func digest(_ declaration: SetDeclaration) throws -> [UInt8] {
            try SetSource(declaration).read().digest
        }
        let first = try digest(Self.declaration([.address], file.path))
        #expect(try digest(Self.declaration([.address], same.path)) == first)
        #expect(try digest(Self.declaration([.address], other.path)) != first)
        #expect(try digest(Self.declaration([.prefix], file.path)) != first)
        #expect(try digest(Self.declaration([.address], file.path, timeout: 5)) != first)
        #expect(
            try digest(Self.declaration([.address], file.path, timeout: 6))
                != digest(Self.declaration([.address], file.path, timeout: 5)))
        #expect(try digest(Self.declaration([.address], file.path, capacity: 5000)) != first)
        var inline = Self.declaration([.address])
        inline.elements = [SetElement([.address(IPAddress(192, 0, 2, 1))])]
        #expect(try digest(inline) != first)
    }

    @Test("elements of rules are packed as those of files")
    func packed() throws {
        let file = File(Array("192.0.2.1 . 80 . 02:00:00:00:00:01\n".utf8))
        let kinds: [SetDeclaration.Kind] = [.address, .port, .mac]
        var inline = Self.declaration(kinds)
        inline.elements = [
            SetElement([
                .address(IPAddress(192, 0, 2, 1)), .numbers(80...80),
                .mac(MACAddress(value: 0x0200_0000_0001)),
            ])
        ]
        let one = try SetSource(inline).read()
        let other = try SetSource(Self.declaration(kinds, file.path)).read()
        #expect(one.parts.map(\.bytes) == other.parts.map(\.bytes))
        #expect(one.count == 1)
        #expect(one.elements { _ in nil } == inline.elements)
    }
}
