// SPDX-License-Identifier: Apache-2.0
import Filter
import SystemPackage
import XDP

/// Writes packets to a pcapng file, or to several, one after the other.
///
/// Every file is complete in itself: section, interfaces, packets, statistics. Blocks are gathered in memory and written in large
/// pieces; ``flush()`` writes what there is, so that who reads a pipe sees packets as they come. Nothing is allocated for a packet.
///
/// Whoever uses it ignores SIGPIPE.
public final class CaptureFileWriter {
    /// What was written so far, to all files.
    public struct Tally: Sendable, Hashable {
        public var packets: UInt64 = 0
        public var bytes: UInt64 = 0
        public var files = 0
    }

    /// What is known of an interface, and what stands in the file that is being written.
    private struct Known {
        var block: CaptureFileInterface
        /// In all files.
        var statistics = CaptureFileStatistics()
        /// Up to the file before.
        var former = CaptureFileStatistics()
        var written: UInt64 = 0
    }

    private let origin: CaptureOrigin
    private let rotation: CaptureRotation
    private let isUnbuffered: Bool
    private let shallEnd: @Sendable () -> Bool
    private var names: CaptureFileNames
    private var output: CaptureOutput
    private var encoder: BlockEncoder
    private var interfaces: [Known] = []
    /// Bytes of the file that stand in it, and packets of them that still wait.
    private var size: UInt64 = 0
    private var waiting: UInt64 = 0
    /// When the file began, in nanoseconds since 1970.
    private var start: UInt64
    private var isFinished = false
    public private(set) var tally = Tally()
    /// The file that is being written.
    public private(set) var path: String
    /// Nobody reads what is written any more; nothing is written from then on.
    public private(set) var hasReader = true

    /// So many bytes are gathered before they are written.
    private static let gathered = 1 << 18
    /// The largest block, and then some.
    private static let capacity = gathered + (1 << 19)

    /// Opens the first file.
    ///
    /// - Parameters:
    ///   - path: `-` is standard output. With a rotation what the names of files are made of (``CaptureRotation``).
    ///   - isUnbuffered: every packet is written at once.
    ///   - time: nanoseconds since 1970.
    ///   - shallEnd: asked while a pipe is full.
    public init(
        path: String, origin: CaptureOrigin, rotation: CaptureRotation = CaptureRotation(),
        isUnbuffered: Bool = false, at time: UInt64,
        until shallEnd: @escaping @Sendable () -> Bool = { false }
    ) throws(XDPError) {
        if path == "-", !rotation.isNone {
            throw XDPError(
                .invalid, "Packets cannot be written to several files",
                because: "standard output is one", remedy: "Name a file with -w")
        }
        self.origin = origin
        self.rotation = rotation
        self.isUnbuffered = isUnbuffered
        self.shallEnd = shallEnd
        names = CaptureFileNames(path, rotation)
        let first = names.next(at: time / 1_000_000_000)
        output = try CaptureOutput.open(first.name, until: shallEnd)
        self.path = first.name
        start = time
        encoder = BlockEncoder(capacity: Self.capacity)
        beginFile()
    }

    // MARK: - Content

    /// Describes an interface, and gives the number by which packets name it.
    public func add(_ interface: CaptureFileInterface) -> UInt32 {
        interfaces.append(Known(block: interface))
        encoder.addInterface(interface)
        return UInt32(interfaces.count - 1)
    }

    /// Writes a packet.
    ///
    /// - Parameter comment: UTF-8, at most 32768 bytes.
    public func write(
        _ packet: CaptureFilePacket, comment: [UInt8] = [], _ content: RawSpan
    ) throws(XDPError) {
        let index = Int(packet.interface)
        guard hasReader, !isFinished, interfaces.indices.contains(index) else { return }
        if let bytes = rotation.bytes {
            // Room for the packet, and for the statistics at the end.
            let block = content.byteCount + comment.count + 128 + interfaces.count * 128
            let hasPackets = interfaces.contains { $0.written > 0 }
            if hasPackets, size + UInt64(encoder.bytes.count + block) > bytes {
                try rotate(at: packet.nanoseconds)
            }
        }
        try rotateIfDue(packet.nanoseconds)
        encoder.addPacket(packet, comment: comment.count <= BlockEncoder.longestText ? comment : [], content)
        interfaces[index].written += 1
        waiting += 1
        if isUnbuffered || encoder.bytes.count >= Self.gathered { try flush() }
    }

    /// What is known by now of an interface since the capture began; ``CaptureFileStatistics/delivered`` is counted here.
    public func note(_ statistics: CaptureFileStatistics, of interface: UInt32) {
        guard interfaces.indices.contains(Int(interface)) else { return }
        interfaces[Int(interface)].statistics = statistics
    }

    /// Writes what was gathered.
    public func flush() throws(XDPError) {
        guard hasReader, !encoder.bytes.isEmpty else { return }
        switch output.write(encoder.bytes) {
        case .written:
            size += UInt64(encoder.bytes.count)
            tally.bytes += UInt64(encoder.bytes.count)
            tally.packets += waiting
            waiting = 0
            encoder.removeAll()
        case .readerGone, .givenUp:
            hasReader = false
        case .failed(let count, let errno):
            throw failed(after: count, errno)
        }
    }

    /// Looks whether somebody still reads a pipe, while nothing is written to it.
    public func lookForReader() {
        if !output.hasReader { hasReader = false }
    }

    /// Goes on in the next file if it is time for that; to be called also while no packets come.
    public func rotateIfDue(_ time: UInt64) throws(XDPError) {
        guard let seconds = rotation.seconds, time > start, (time - start) / 1_000_000_000 >= seconds else {
            return
        }
        // Files begin at multiples of the time, however late it is noticed.
        let period = seconds &* 1_000_000_000
        try rotate(at: period == 0 ? time : start + (time - start) / period * period)
    }

    /// Writes statistics and closes the file.
    public func finish(at time: UInt64) throws(XDPError) {
        guard !isFinished else { return }
        isFinished = true
        try endFile(at: time)
    }

    // MARK: - Files

    private func beginFile() {
        tally.files += 1
        size = 0
        encoder.addSection(origin)
        for place in interfaces.indices {
            encoder.addInterface(interfaces[place].block)
            interfaces[place].former = interfaces[place].statistics
            interfaces[place].written = 0
        }
    }

    private func endFile(at time: UInt64) throws(XDPError) {
        for (number, known) in interfaces.enumerated() {
            let now = known.statistics
            let former = known.former
            func difference(_ field: KeyPath<CaptureFileStatistics, UInt64?>) -> UInt64? {
                // It may be less than it was: whoever counts may have begun anew.
                now[keyPath: field].map { $0 - min($0, former[keyPath: field] ?? 0) }
            }
            let lost = difference(\.lost)
            let statistics = CaptureFileStatistics(
                start: now.start.map { max($0, start) } ?? start, end: max(time, start),
                received: difference(\.received), lost: lost,
                accepted: CaptureTotals.sum([known.written, lost ?? 0]), delivered: known.written)
            encoder.addStatistics(statistics, of: UInt32(number), at: max(time, start))
        }
        try flush()
    }

    private func rotate(at time: UInt64) throws(XDPError) {
        try endFile(at: time)
        guard hasReader else { return }
        let next = names.next(at: time / 1_000_000_000)
        if let outdated = next.outdated { CaptureOutput.remove(outdated) }
        output = try CaptureOutput.open(next.name, until: shallEnd)
        path = next.name
        start = time
        beginFile()
    }

    /// The file is left with the blocks that are whole.
    private func failed(after count: Int, _ errno: Errno) -> XDPError {
        var whole = 0
        var packets: UInt64 = 0
        let bytes = encoder.bytes
        while whole + 8 <= count {
            let (type, length) = bytes.withUnsafeBytes { bytes in
                (
                    bytes.loadUnaligned(fromByteOffset: whole, as: UInt32.self),
                    Int(bytes.loadUnaligned(fromByteOffset: whole + 4, as: UInt32.self))
                )
            }
            guard length >= 12, whole + length <= count else { break }
            if type == BlockEncoder.enhancedPacket { packets += 1 }
            whole += length
        }
        output.takeBack(count - whole)
        size += UInt64(whole)
        tally.bytes += UInt64(whole)
        tally.packets += packets
        waiting = 0
        encoder.removeAll()
        isFinished = true
        return XDPError(
            .failed, "Packets cannot be written to \(path)", because: errno.description,
            remedy: "\(tally.packets) packets are written, \(tally.bytes) bytes"
                + (tally.files > 1 ? " in \(tally.files) files" : "")
                + "; what is there can be read. -C 100M -W 10 keeps captures small")
    }
}
