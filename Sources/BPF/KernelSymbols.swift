// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// The names of what is at addresses in the kernel (/proc/kallsyms).
public enum KernelSymbols {
    private static let base = Mutex<UInt64?>(nil)
    /// What was found, by distance; nil for what has no name. The functions that programs call stay where they are.
    private static let known = Mutex<[Int32: String?]>([:])

    /// The names of what calls lead to that are given as the distance from `__bpf_call_base`, by distance.
    ///
    /// The file has some hundred thousand lines, so it is read once for all that is wanted.
    public static func callees(_ distances: Set<Int32>) -> (names: [Int32: String], hidden: String?) {
        guard !distances.isEmpty else { return ([:], nil) }
        guard let start = callBase() else { return ([:], hiddenReason) }
        let missing = known.withLock { known in distances.filter { known[$0] == nil } }
        if !missing.isEmpty {
            let found = names(of: missing, from: start)
            known.withLock { known in
                for distance in missing { known[distance] = .some(found[distance]) }
            }
        }
        let names = known.withLock { known in
            distances.reduce(into: [:]) { names, distance in names[distance] = known[distance] ?? nil }
        }
        return (names, nil)
    }

    private static func names(of distances: Set<Int32>, from start: UInt64) -> [Int32: String] {
        var addresses: [UInt64: Int32] = [:]
        for distance in distances { addresses[start &+ UInt64(bitPattern: Int64(distance))] = distance }
        var names: [Int32: String] = [:]
        scan { address, line in
            guard let distance = addresses[address], let name = Self.name(in: line) else { return true }
            // Several names can stand at an address; those of helpers begin alike.
            if names[distance]?.hasPrefix("bpf_") != true { names[distance] = name }
            return true
        }
        return names
    }

    private static let hiddenReason =
        "the kernel hides its addresses from this process (kernel.kptr_restrict, CAP_SYSLOG)"

    /// Where calls are counted from; it does not change while the kernel runs.
    private static func callBase() -> UInt64? {
        if let known = base.withLock({ $0 }) { return known }
        let wanted = Array("__bpf_call_base".utf8)
        var found: UInt64?
        scan { address, line in
            guard line.count == 19 + wanted.count, line[19...].elementsEqual(wanted) else { return true }
            found = address
            return false
        }
        guard let found, found != 0 else { return nil }
        base.withLock { $0 = found }
        return found
    }

    /// "ffffffff81000000 T _text	[module]": the name is the third word.
    private static func name(in line: UnsafeRawBufferPointer) -> String? {
        guard line.count > 19 else { return nil }
        let rest = line[19...]
        let end = rest.firstIndex { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") } ?? rest.endIndex
        return String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
    }

    /// Calls `body` for every line, until that answers false.
    private static func scan(_ body: (UInt64, UnsafeRawBufferPointer) -> Bool) {
        let descriptor = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let size = 256 << 10
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        defer { buffer.deallocate() }
        var filled = 0
        while true {
            let count = read(descriptor, buffer + filled, size - filled)
            guard count > 0 else { return }
            filled += count
            var start = 0
            while let end = memchr(buffer + start, 10, filled - start) {
                let stop = UnsafeRawPointer(end) - UnsafeRawPointer(buffer)
                let line = UnsafeRawBufferPointer(start: buffer + start, count: stop - start)
                if let address = address(in: line), !body(address, line) { return }
                start = stop + 1
            }
            // A line longer than the buffer is none.
            guard start > 0 || filled < size else { return }
            memmove(buffer, buffer + start, filled - start)
            filled -= start
        }
    }

    /// The 16 hexadecimal digits at the start of a line.
    private static func address(in line: UnsafeRawBufferPointer) -> UInt64? {
        guard line.count > 19, line[16] == UInt8(ascii: " ") else { return nil }
        var value: UInt64 = 0
        for byte in line[0..<16] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
