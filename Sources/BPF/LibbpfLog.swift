// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Synchronization

/// Collects what libbpf prints while a piece of code runs.
///
/// libbpf has one print callback for the whole process; lines are told apart by the thread that caused
/// them, and lines that no collector waits for go the way they went before.
enum LibbpfLog {
    private struct Collectors {
        var lines: [UInt: [String]] = [:]
        var previous: libbpf_print_fn_t?
    }

    private static let collectors = Mutex(Collectors())

    /// Runs `body` and returns what libbpf warned about meanwhile, without the "libbpf: " before it.
    static func collecting<Result>(_ body: () -> Result) -> (result: Result, warnings: [String]) {
        _ = installed
        let thread = UInt(pthread_self())
        collectors.withLock { $0.lines[thread] = [] }
        let result = body()
        let lines = collectors.withLock { $0.lines.removeValue(forKey: thread) }
        return (result, lines ?? [])
    }

    private static let installed: Bool = {
        let previous = libbpf_set_print(receive)
        collectors.withLock { $0.previous = previous }
        return true
    }()

    private static let receive: libbpf_print_fn_t = { level, format, arguments in
        guard let format, let arguments else { return 0 }
        let thread = UInt(pthread_self())
        let isWaiting = LibbpfLog.collectors.withLock { $0.lines[thread] != nil }
        guard isWaiting else {
            let previous = LibbpfLog.collectors.withLock { $0.previous }
            return previous?(level, format, arguments) ?? 0
        }
        guard level == LIBBPF_WARN else { return 0 }
        var buffer = [CChar](repeating: 0, count: 4096)
        vsnprintf(&buffer, buffer.count, format, arguments)
        var line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if line.hasPrefix("libbpf: ") { line.removeFirst("libbpf: ".count) }
        while line.last == "\n" { line.removeLast() }
        LibbpfLog.collectors.withLock { $0.lines[thread]?.append(line) }
        return 0
    }
}
