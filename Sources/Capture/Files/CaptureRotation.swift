// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// When a capture goes on in another file.
public struct CaptureRotation: Sendable, Hashable {
    /// Before a file would become larger.
    public var bytes: UInt64?
    /// After so long.
    public var seconds: UInt64?
    /// So many files at most: then the oldest makes room.
    public var files: Int?

    public init(bytes: UInt64? = nil, seconds: UInt64? = nil, files: Int? = nil) {
        self.bytes = bytes
        self.seconds = seconds
        self.files = files
    }

    public var isNone: Bool { bytes == nil && seconds == nil }

    /// A file that is smaller than this has room for nothing but its head.
    public static let smallest: UInt64 = 4096

    /// Reads `10M`, `100MB`, `64KiB`, `2G`, `5000B`: units are powers of 1024.
    ///
    /// A number without a unit is none: to tcpdump it is millions of bytes.
    public static func size(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits) else { return nil }
        let units: [String: UInt64] = [
            "b": 1, "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20,
            "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30, "t": 1 << 40, "tb": 1 << 40, "tib": 1 << 40,
        ]
        guard let unit = units[text.dropFirst(digits.count).lowercased()] else { return nil }
        let (size, isTooLarge) = number.multipliedReportingOverflow(by: unit)
        return isTooLarge ? nil : size
    }
}

/// What the files of a capture are called, one after the other.
///
/// `drops.pcapng` becomes `drops_00001.pcapng`, `drops_00002.pcapng`, …; of a ring of ten files `drops_01.pcapng` to `drops_10.pcapng`, and then
/// the first one again, so that there are never more, also when a capture is started anew. A name with a `%` is made of the time as
/// strftime(3) does it, and gets a number only if it would be the name of a file before.
struct CaptureFileNames {
    private let name: String
    private let rotation: CaptureRotation
    private var number = 0
    /// Files that are there, the oldest first.
    private var made: [String] = []

    init(_ name: String, _ rotation: CaptureRotation) {
        self.name = name
        self.rotation = rotation
    }

    private var isByTime: Bool { name.contains("%") && rotation.seconds != nil }

    /// The next file's.
    ///
    /// - Parameter seconds: since 1970: when it begins.
    /// - Returns: and the file that has to go for it.
    mutating func next(at seconds: UInt64) -> (name: String, outdated: String?) {
        guard !rotation.isNone else { return (name, nil) }
        var next = isByTime ? Self.formatted(name, seconds) : ""
        if isByTime {
            var count = 1
            let plain = next
            while made.contains(next) {
                count += 1
                next = Self.numbered(plain, "\(count)")
            }
        } else {
            number = rotation.files.map { number % $0 + 1 } ?? number + 1
            let width = rotation.files.map { "\($0)".count } ?? 5
            let digits = String(number)
            next = Self.numbered(
                name, String(repeating: "0", count: max(width - digits.count, 0)) + digits)
            made.removeAll { $0 == next }
        }
        made.append(next)
        guard let files = rotation.files else {
            // Only the last one can be met again by its time.
            if made.count > 1000 { made.removeFirst() }
            return (next, nil)
        }
        return (next, made.count > files ? made.removeFirst() : nil)
    }

    /// Before the ending: `drops.pcapng` and `7` are `drops_7.pcapng`.
    static func numbered(_ name: String, _ number: String) -> String {
        let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
        guard let dot = name[start...].lastIndex(of: "."), dot != start else { return "\(name)_\(number)" }
        return "\(name[..<dot])_\(number)\(name[dot...])"
    }

    private static func formatted(_ name: String, _ seconds: UInt64) -> String {
        var time = time_t(clamping: seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = strftime(&buffer, buffer.count, name, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
