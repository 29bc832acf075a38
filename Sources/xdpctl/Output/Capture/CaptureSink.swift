// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import Glibc
import XDP

/// Where the packets of a capture go: to files, to the terminal, or both.
final class CaptureSink {
    /// Nil where nothing is printed.
    private var printer: CapturePrinter?
    private let output: CaptureOutput
    private var waiting: [UInt8] = []
    private var hasListener = true
    let file: CaptureFileWriter?
    private(set) var packets: UInt64 = 0
    private let limit: UInt64

    /// So many bytes of text are gathered at most.
    private static let gathered = 1 << 16

    init(
        file: CaptureFileWriter?, printer: CapturePrinter?, limit: UInt64?,
        until shallEnd: @escaping @Sendable () -> Bool
    ) {
        self.file = file
        self.printer = printer
        self.limit = limit ?? .max
        output = .standardOutput(until: shallEnd)
    }

    /// Whether nothing more is wanted: there is enough, or nobody reads it.
    var isDone: Bool { packets >= limit || !hasListener || !(file?.hasReader ?? true) }

    /// Whether bytes have been gathered for somebody who may wait for them.
    var prints: Bool { printer != nil }

    /// Counts a packet; the caller writes it to the file.
    func take(_ packet: @autoclosure () -> ShownPacket) throws(XDPError) {
        packets += 1
        guard var printer else { return }
        for line in printer.lines(packet()) { waiting += Array((line + "\n").utf8) }
        self.printer = printer
        if waiting.count >= Self.gathered { try flush() }
    }

    /// An event, where events are printed.
    func say(_ event: @autoclosure () -> CaptureEvent, text: [String], isJSON: Bool) throws(XDPError) {
        try flush()
        if isJSON {
            waiting += Array((JSONOutput.line(event()) + "\n").utf8)
            try flush()
        } else {
            for line in text { Terminal.error(line) }
        }
    }

    /// Writes what was gathered, to both.
    func flush() throws(XDPError) {
        try file?.flush()
        guard !waiting.isEmpty, hasListener else { return }
        switch output.write(waiting) {
        case .written: waiting.removeAll(keepingCapacity: true)
        case .readerGone, .givenUp: hasListener = false
        case .failed(_, let errno):
            hasListener = false
            throw XDPError(.failed, "Packets cannot be printed", because: errno.description)
        }
    }

    /// Looks whether somebody is still there while no packets come.
    func lookForReader() {
        if printer != nil, !output.hasReader { hasListener = false }
        file?.lookForReader()
    }
}
