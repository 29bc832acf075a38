// SPDX-License-Identifier: Apache-2.0

/// How events lie in the map where programs count them, and in the ring that wakes the reader. Numbers are in the machine's
/// byte order.
///
/// A key of the map, which is also what the ring gets when a key is new:
///
/// | Bytes | Content |
/// |---|---|
/// | 4 | ``code(of:)`` |
/// | 4 each | program, interface, its namespace, target, its namespace, map, its type, key, error, verdict, CPU |
///
/// A value of the map, one for each CPU: 8 bytes each of dropped packets, sent packets, the time of the last event, events.
///
/// A failed attachment has no key of the map, since it has a text; the ring gets it:
///
/// | Bytes | Content |
/// |---|---|
/// | 48 | a key, of which the kind and the namespace are set |
/// | 8 | time |
/// | 4 | process |
/// | 4 | zero |
/// | 16 | the process's name, up to a NUL |
/// | 160 | what the kernel said, up to a NUL |
enum EventLayout {
    static let keySize = 48
    static let valueSize = 32
    static let attachSize = 240

    /// Where the parts of a key are.
    enum Field: Int, CaseIterable {
        case kind = 0
        case program = 4
        case interface = 8
        case namespace = 12
        case target = 16
        case targetNamespace = 20
        case map = 24
        case mapType = 28
        case mapKey = 32
        case error = 36
        case verdict = 40
        case cpu = 44
    }

    /// Where the parts of a value are.
    enum Amount: Int {
        case dropped = 0
        case sent = 8
        case time = 16
        case count = 24
    }

    /// Where the parts of a failed attachment are, behind its key.
    enum Attach: Int {
        case time = 48
        case process = 56
        case zero = 60
        case command = 64
        case text = 80
    }

    static let commandLength = 16
    static let textLength = 160

    /// The number that stands for a kind: never 0, which is what memory holds that nobody wrote.
    static func code(of kind: XDPEvent.Kind) -> Int32 {
        Int32(XDPEvent.Kind.allCases.firstIndex(of: kind) ?? 0) + 1
    }

    /// A key's bytes; nil where they are none.
    static func key(_ bytes: RawSpan) -> XDPEvent.Key? {
        guard bytes.byteCount >= keySize else { return nil }
        func number(_ field: Field) -> UInt32 {
            bytes.unsafeLoadUnaligned(fromByteOffset: field.rawValue, as: UInt32.self)
        }
        let place = Int(number(.kind)) - 1
        guard XDPEvent.Kind.allCases.indices.contains(place) else { return nil }
        return XDPEvent.Key(
            kind: XDPEvent.Kind.allCases[place], program: number(.program), interface: number(.interface),
            namespace: number(.namespace), target: number(.target), targetNamespace: number(.targetNamespace),
            map: number(.map), mapType: number(.mapType), mapKey: number(.mapKey),
            error: Int32(bitPattern: number(.error)), verdict: number(.verdict), cpu: number(.cpu))
    }

    /// A key as it lies in the map.
    static func bytes(of key: XDPEvent.Key) -> [UInt8] {
        // In the order of the fields.
        [
            UInt32(bitPattern: code(of: key.kind)), key.program, key.interface, key.namespace, key.target,
            key.targetNamespace, key.map, key.mapType, key.mapKey, UInt32(bitPattern: key.error), key.verdict,
            key.cpu,
        ].flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
    }

    /// A record of the ring; nil where it is no failed attachment.
    static func attachFailure(_ bytes: RawSpan) -> XDPEvent? {
        guard bytes.byteCount == attachSize, let key = key(bytes), key.kind == .attachFailed else {
            return nil
        }
        return XDPEvent(
            key: key,
            time: bytes.unsafeLoadUnaligned(fromByteOffset: Attach.time.rawValue, as: UInt64.self),
            text: text(bytes, Attach.text.rawValue, textLength),
            process: bytes.unsafeLoadUnaligned(fromByteOffset: Attach.process.rawValue, as: UInt32.self),
            command: text(bytes, Attach.command.rawValue, commandLength))
    }

    private static func text(_ bytes: RawSpan, _ offset: Int, _ length: Int) -> String {
        var text: [UInt8] = []
        for place in offset..<(offset + length) {
            let byte = bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self)
            if byte == 0 { break }
            text.append(byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What all CPUs counted of one key.
    struct Totals: Hashable {
        var count: UInt64 = 0
        var dropped: UInt64 = 0
        var sent: UInt64 = 0
        var time: UInt64 = 0

        init() {}

        /// Adds up the values of all CPUs.
        init(_ bytes: RawSpan) {
            var offset = 0
            while offset + valueSize <= bytes.byteCount {
                func number(_ amount: Amount) -> UInt64 {
                    bytes.unsafeLoadUnaligned(fromByteOffset: offset + amount.rawValue, as: UInt64.self)
                }
                count &+= number(.count)
                dropped &+= number(.dropped)
                sent &+= number(.sent)
                time = max(time, number(.time))
                offset += valueSize
            }
        }
    }
}
