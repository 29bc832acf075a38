// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// The elements of a set at one moment, sorted.
public struct SetListing: Sendable {
    public let layout: SetLayout
    /// Of each part, in the order of ``SetLayout/parts``.
    private let parts: [SetRows]
    private let now: UInt64

    /// One element, or a row of numbers that have the same life.
    public struct Element: Sendable, Hashable {
        public var components: [SetComponent]
        /// Seconds that are left, rounded up; nil: no end.
        public var remaining: UInt64?
        /// Whether the rules or their file list it, rather than somebody by hand.
        public var isDeclared: Bool

        public init(components: [SetComponent], remaining: UInt64?, isDeclared: Bool) {
            self.components = components
            self.remaining = remaining
            self.isDeclared = isDeclared
        }
    }

    init(_ layout: SetLayout, _ parts: [SetRows], now: UInt64) {
        self.layout = layout
        self.parts = zip(parts, layout.parts).map { $0.sorted(layout, $1) }
        self.now = now
    }

    /// How many there are; a table's numbers each by itself.
    public var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// All elements in order. An interface that is gone is named by its number, `if7`.
    public func forEach(_ body: (Element) -> Void) {
        for (rows, part) in zip(parts, layout.parts) {
            if part == .table {
                forEachRange(rows, body)
                continue
            }
            rows.forEach { key, entry in
                let bytes = UnsafeRawBufferPointer(start: key, count: rows.keySize)
                guard
                    let components = layout.components(
                        of: bytes, in: part, interfaceName: { Interfaces.name($0) ?? "if\($0)" })
                else { return }
                body(element(components, entry))
            }
        }
    }

    private func forEachRange(_ rows: SetRows, _ body: (Element) -> Void) {
        var open: (first: UInt16, last: UInt16, entry: UInt64)?
        func close() {
            if let open { body(element([.numbers(open.first...open.last)], open.entry)) }
        }
        rows.forEach { key, entry in
            let number = UInt16(truncatingIfNeeded: key.loadUnaligned(as: UInt32.self))
            if let last = open, last.last &+ 1 == number, last.entry & 1 == entry & 1,
                remaining(last.entry) == remaining(entry)
            {
                open?.last = number
            } else {
                close()
                open = (number, number, entry)
            }
        }
        close()
    }

    private func element(_ components: [SetComponent], _ entry: UInt64) -> Element {
        Element(components: components, remaining: remaining(entry), isDeclared: entry & 1 != 0)
    }

    private func remaining(_ entry: UInt64) -> UInt64? {
        SetLayout.Entry(rawValue: entry).end.map { $0 < now ? 0 : ($0 - now + 999_999_999) / 1_000_000_000 }
    }

    /// All elements as a file that a set can be read from, piece by piece.
    public func write(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        var text: [UInt8] = []
        let size = 1 << 16
        text.reserveCapacity(size + 512)
        forEach { element in
            element.write(to: &text)
            text.append(10)
            if text.count >= size {
                text.withUnsafeBufferPointer(body)
                text.removeAll(keepingCapacity: true)
            }
        }
        if !text.isEmpty { text.withUnsafeBufferPointer(body) }
    }
}

extension SetListing.Element {
    /// `192.0.2.1 . 80 timeout 9m58s`.
    public var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `192.0.2.1 . 80`, without its life.
    public var bare: String {
        var copy = self
        copy.remaining = nil
        return copy.text
    }

    func write(to text: inout [UInt8]) {
        for (place, component) in components.enumerated() {
            if place > 0 { text += " . ".utf8 }
            component.write(to: &text)
        }
        if let remaining { text += " timeout \(LifeText.text(max(remaining, 1)))".utf8 }
    }
}

extension SetComponent {
    /// As it is read from files of elements.
    func write(to text: inout [UInt8]) {
        switch self {
        case .address(let address): Self.write(address.bytes, to: &text)
        case .prefix(let prefix):
            Self.write(prefix.address.bytes, to: &text)
            if !prefix.isSingle {
                text.append(47)
                Self.write(UInt(prefix.length), to: &text)
            }
        case .numbers(let range):
            Self.write(UInt(range.lowerBound), to: &text)
            if range.count > 1 {
                text.append(45)
                Self.write(UInt(range.upperBound), to: &text)
            }
        case .mac(let mac): text += mac.description.utf8
        case .interface(let name): text += name.utf8
        }
    }

    private static func write(_ address: [UInt8], to text: inout [UInt8]) {
        guard address.count == 4 else {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
                guard inet_ntop(AF_INET6, address, buffer.baseAddress, 64) != nil else { return }
                text.append(contentsOf: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
            }
            return
        }
        for (place, byte) in address.enumerated() {
            if place > 0 { text.append(46) }
            write(UInt(byte), to: &text)
        }
    }

    private static func write(_ number: UInt, to text: inout [UInt8]) {
        if number >= 10 { write(number / 10, to: &text) }
        text.append(UInt8(48 + number % 10))
    }
}

extension SetStore {
    /// All elements; those that have ended are removed.
    public func list() throws(XDPError) -> SetListing {
        try changing("The set \(name) cannot be read") { step throws(BPFError) in
            _ = try removeExpired(step)
            var rows: [SetRows] = []
            let now = MonotonicTime.now()
            for part in parts {
                try step()
                rows.append(try part.rows().filtered { $1.isAlive(at: now) })
            }
            return SetListing(layout, rows, now: now)
        }
    }
}

extension SetRows {
    /// Sorted as people sort the elements, each once.
    func sorted(_ layout: SetLayout, _ part: SetLayout.Part) -> SetRows {
        struct Place {
            var first: UInt128
            var index: Int
        }
        var result = SetRows(keySize: keySize)
        result.reserve(count)
        keys.withUnsafeBytes { keys in
            guard let start = keys.baseAddress else { return }
            var isTrie = false
            if case .trie = layout.storage(of: part) { isTrie = true }
            let sizes = isTrie ? [] : layout.kinds.map { (kind: $0, size: layout.size(of: $0, in: part)) }
            // Numbers are in host order, everything else in the order in which it is read.
            func value(_ key: UnsafeRawPointer, _ kind: SetDeclaration.Kind, _ size: Int) -> UInt128 {
                switch kind {
                case .port, .protocol, .vlan, .interface: UInt128(key.loadUnaligned(as: UInt32.self))
                default:
                    (0..<size).reduce(0) { $0 << 8 | UInt128(key.load(fromByteOffset: $1, as: UInt8.self)) }
                }
            }
            func comesFirst(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
                if isTrie { return CoveringLives.length(left) < CoveringLives.length(right) }
                var place = 0
                for (kind, size) in sizes {
                    let (one, other) = (value(left + place, kind, size), value(right + place, kind, size))
                    if one != other { return one < other }
                    place += size
                }
                return false
            }
            var places: [Place] = []
            places.reserveCapacity(count)
            for index in 0..<count {
                let key = start + index * keySize
                let first =
                    isTrie ? CoveringLives.address(key, keySize) : value(key, sizes[0].kind, sizes[0].size)
                places.append(Place(first: first, index: index))
            }
            places.sort {
                $0.first != $1.first
                    ? $0.first < $1.first : comesFirst(start + $0.index * keySize, start + $1.index * keySize)
            }
            var last: UnsafeRawPointer?
            for place in places {
                let key = start + place.index * keySize
                if let last, memcmp(last, key, keySize) == 0 { continue }
                result.append(key, entries[place.index])
                last = key
            }
        }
        return result
    }
}
