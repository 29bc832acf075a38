// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import Filter

/// Sets in the kernel's maps, in bulk and while they are in use. Needs root.
@Suite("Sets of filters in kernel maps")
struct FilterSetMapTests {
    // MARK: What the tests are made of

    static func declaration(
        _ kinds: SetDeclaration.Kind..., timeouts: Bool = false, capacity: UInt32? = nil
    ) -> SetDeclaration {
        SetDeclaration(name: "it", kinds: kinds, hasTimeouts: timeouts, capacity: capacity)
    }

    /// Lines as they stand in a file.
    static func contents(_ declaration: SetDeclaration, _ lines: [String]) throws -> SetContents {
        var contents = SetContents(SetLayout(declaration))
        var reader = ElementReader(
            contents.layout, timeout: declaration.timeout, interface: SetSource.interfaceIndex)
        for line in lines {
            _ = try Array(line.utf8).withUnsafeBufferPointer { text throws(ElementProblem) in
                try reader.read(text, into: &contents)
            }
        }
        return contents
    }

    static func store(
        _ declaration: SetDeclaration, _ lines: [String] = [], page: FilterStatePage? = nil
    ) throws -> SetStore {
        let store = try SetStore.make(declaration, contents: contents(declaration, lines))
        let places = store.layout.parts.indices.map { Int?.some($0) }
        return try page == nil ? store : store.used(page: page, places: places)
    }

    static func page() throws -> FilterStatePage {
        try FilterStatePage(MapHandle(FilterState.definition()))
    }

    static func texts(_ store: SetStore) throws -> [String] {
        var texts: [String] = []
        try store.list().forEach { texts.append($0.text) }
        return texts
    }

    // MARK: Tests

    @Test("what is put into a set is listed again, sorted, as it can be read")
    func roundTrip() throws {
        let cases: [(SetDeclaration, [String])] = [
            (
                Self.declaration(.prefix),
                ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0", "192.0.2.1", "::/0", "2001:db8::/32"]
            ),
            (Self.declaration(.address), ["9.0.0.1", "10.0.0.1", "255.255.255.255", "::1", "2001:db8::1"]),
            (Self.declaration(.port), ["1-3", "80", "443", "65535"]),
            (Self.declaration(.protocol), ["0", "6", "255"]),
            (Self.declaration(.vlan), ["1", "4094-4095"]),
            (Self.declaration(.mac), ["02:00:00:00:00:01", "06:00:00:00:00:00"]),
            (Self.declaration(.interface), ["lo"]),
            (
                Self.declaration(.address, .port),
                ["9.0.0.1 . 80", "9.0.0.1 . 443", "10.0.0.1 . 22", "2001:db8::1 . 443"]
            ),
            (Self.declaration(.port, .protocol), ["2 . 6", "256 . 1", "256 . 17"]),
        ]
        for (declaration, lines) in cases {
            let store = try Self.store(declaration, lines.reversed())
            #expect(try Self.texts(store) == lines)
            var text: [UInt8] = []
            try store.list().write { text += $0 }
            #expect(String(decoding: text, as: UTF8.self) == lines.map { $0 + "\n" }.joined())
            for line in lines { #expect(try store.contains(Self.contents(declaration, [line])), "\(line)") }
            #expect(store.memory ?? 0 > 0)
        }
    }

    @Test("elements are added and deleted in place, and each is told apart")
    func changes() throws {
        for declaration in [
            Self.declaration(.address), Self.declaration(.address, timeouts: true), Self.declaration(.prefix),
            Self.declaration(.prefix, timeouts: true),
        ] {
            let store = try Self.store(declaration, ["192.0.2.1", "192.0.2.2"], page: Self.page())
            var change = try store.add(Self.contents(declaration, ["192.0.2.2", "192.0.2.3", "2001:db8::1"]))
            #expect(change.changed == 2)
            #expect(change.unchanged == 1)
            change = try store.delete(
                Self.contents(declaration, ["192.0.2.9", "192.0.2.1", "2001:db8::1", "2001:db8::2"]))
            #expect(change.changed == 2)
            #expect(change.unchanged == 2)
            #expect(change.missing.count == 2)
            #expect(try Self.texts(store) == ["192.0.2.2", "192.0.2.3"])
            var declared: [Bool] = []
            try store.list().forEach { declared.append($0.isDeclared) }
            #expect(declared == [true, false])
            #expect(try store.flush().changed == 2)
            #expect(try Self.texts(store).isEmpty)
        }
    }

    @Test("a network is told from one that covers it")
    func exactNetworks() throws {
        let declaration = Self.declaration(.prefix)
        let store = try Self.store(declaration, ["10.0.0.0/8"])
        #expect(try store.contains(Self.contents(declaration, ["10.1.2.3", "10.1.0.0/16"])))
        #expect(try !store.contains(Self.contents(declaration, ["0.0.0.0/0"])))
        #expect(try store.delete(Self.contents(declaration, ["10.1.0.0/16", "10.0.0.0/7"])).changed == 0)
        #expect(try store.add(Self.contents(declaration, ["10.1.0.0/16", "10.0.0.0/8"])).changed == 1)
        #expect(
            try store.add(Self.contents(declaration, ["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/9"])).unchanged
                == 2)
    }

    @Test("the flag of a part says whether there may be elements")
    func flags() throws {
        for declaration in [
            Self.declaration(.prefix), Self.declaration(.address), Self.declaration(.address, .port),
        ] {
            let page = try Self.page()
            let store = try Self.store(declaration, page: page)
            let suffix = declaration.kinds.count == 2 ? " . 80" : ""
            try store.publishFlags()
            #expect(!page[0] && !page[1])
            _ = try store.add(Self.contents(declaration, ["2001:db8::1\(suffix)"]))
            #expect(!page[0] && page[1])
            _ = try store.add(Self.contents(declaration, ["192.0.2.1\(suffix)"]))
            _ = try store.delete(Self.contents(declaration, ["2001:db8::1\(suffix)"]))
            #expect(page[0] && !page[1])
            _ = try store.flush()
            #expect(!page[0] && !page[1])
        }
        let page = try Self.page()
        let ports = try Self.store(Self.declaration(.port), ["80"], page: page)
        try ports.publishFlags()
        #expect(page[0])
        _ = try ports.delete(Self.contents(Self.declaration(.port), ["80"]))
        #expect(!page[0])
    }

    @Test("elements end by themselves, and are gone when somebody looks")
    func ends() throws {
        for declaration in [
            Self.declaration(.address, timeouts: true), Self.declaration(.prefix, timeouts: true),
        ] {
            let page = try Self.page()
            let store = try Self.store(
                declaration, ["192.0.2.1", "192.0.2.2 timeout 1s", "192.0.2.3 timeout 1h"], page: page)
            let second = try Self.contents(declaration, ["192.0.2.2"])
            #expect(try store.contains(second))
            #expect(
                try Self.texts(store) == ["192.0.2.1", "192.0.2.2 timeout 1s", "192.0.2.3 timeout 1h"])
            usleep(1_100_000)
            #expect(try !store.contains(second))
            #expect(try store.add(Self.contents(declaration, ["192.0.2.9"])).expired == 1)
            #expect(try Self.texts(store) == ["192.0.2.1", "192.0.2.3 timeout 59m59s", "192.0.2.9"])
        }
        let ports = Self.declaration(.port, timeouts: true)
        let store = try Self.store(ports, ["80 timeout 1s", "90-91 timeout 1h"])
        usleep(1_100_000)
        #expect(try Self.texts(store) == ["90-91 timeout 59m59s"])
    }

    @Test("a set that is full says what room it needs, and moves without losing anything")
    func growth() throws {
        for declaration in [Self.declaration(.address), Self.declaration(.address, timeouts: true)] {
            let page = try Self.page()
            let store = try Self.store(declaration, ["192.0.2.1"], page: page)
            #expect(store.capacity == 1024)
            let many = try Self.contents(declaration, (0..<3000).map { "10.0.\($0 / 250).\($0 % 250)" })
            let room = try #require(store.add(many).neededRoom)
            let bigger = try store.grown(toHold: room)
            // Meanwhile one more comes, for which one has to go.
            _ = try store.delete(Self.contents(declaration, ["10.0.0.3"]))
            _ = try store.add(Self.contents(declaration, ["198.51.100.1"]))
            try bigger.copyRest(from: store)
            #expect(try bigger.add(many).neededRoom == nil)
            #expect(try bigger.list().count == 3002)
        }
    }

    @Test("ended elements make room")
    func expiredMakeRoom() throws {
        let declaration = Self.declaration(.address, timeouts: true)
        let store = try Self.store(
            declaration, (0..<960).map { "10.1.\($0 / 250).\($0 % 250) timeout 1s" }, page: Self.page())
        usleep(1_100_000)
        let change = try store.add(
            Self.contents(declaration, (0..<900).map { "10.0.\($0 / 250).\($0 % 250)" }))
        #expect(change.expired == 960)
        #expect(change.neededRoom == nil)
    }

    @Test("a set that is declared anew keeps what was added by hand")
    func replacement() throws {
        for isPrefix in [false, true] {
            let kind: SetDeclaration.Kind = isPrefix ? .prefix : .address
            let declaration = Self.declaration(kind, timeouts: true)
            let old = try Self.store(declaration, ["192.0.2.1", "192.0.2.2"])
            _ = try old.add(
                Self.contents(
                    declaration, ["192.0.2.2", "192.0.2.3 timeout 1h", "192.0.2.4", "192.0.2.5 timeout 1s"]))
            usleep(1_100_000)
            let new = try SetStore.make(
                declaration, contents: Self.contents(declaration, ["192.0.2.4", "192.0.2.8"]), replacing: old)
            _ = try old.add(Self.contents(declaration, ["192.0.2.7"]))
            try new.copyRest(from: old, includesDeclared: false)
            #expect(
                try Self.texts(new) == ["192.0.2.3 timeout 59m59s", "192.0.2.4", "192.0.2.7", "192.0.2.8"])
            let eternal = Self.declaration(kind)
            let other = try SetStore.make(eternal, contents: Self.contents(eternal, []), replacing: old)
            #expect(try Self.texts(other) == ["192.0.2.4", "192.0.2.7"])
        }
    }

    @Test("a map that is another kind of map is refused, and a set too large for the kernel is explained")
    func refusals() throws {
        let layout = SetLayout(Self.declaration(.address))
        let map = try MapHandle(FilterState.definition())
        #expect(throws: XDPError.self) { try SetStore(name: "it", layout: layout, maps: [map, map]) }
        #expect(throws: XDPError.self) { try SetStore(name: "it", layout: layout, maps: [map]) }
        let error = #expect(throws: XDPError.self) {
            try SetStore.empty("it", layout, counts: [0, 0], declared: 1 << 31)
        }
        #expect(error?.why.contains("2147483648 elements") == true, "\(String(describing: error))")
        #expect(error?.remedy?.contains("Make the set smaller") == true)
    }
}
