// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Packets
import Testing
import XDP

@testable import Capture

@Suite("Where captures are written to")
struct CaptureOutputTests {
    private let frame = Packet.ethernet().ipv4().udp(to: 53).padded(to: 100).bytes

    @Test("a file is new, of mode 0600, whatever stood there")
    func newFile() throws {
        let scratch = try Scratch()
        let former = open(scratch("a"), O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        defer { close(former) }
        _ = write(former, "old", 3)
        link(scratch("a"), scratch("b"))
        umask(0)
        var writer = try WrittenCapture.writer(scratch("a"))
        try writer.write(try WrittenCapture.frame(0, length: 100), frame.span.bytes)
        try writer.file.finish(at: WrittenCapture.time)

        var status = stat()
        #expect(stat(scratch("a"), &status) == 0 && status.st_mode & 0o7777 == 0o600 && status.st_nlink == 1)
        // Who had the former file open or linked sees nothing of the capture.
        #expect(try scratch.bytes("b") == Array("old".utf8))
    }

    @Test("a symbolic link is refused, and what it leads to stays")
    func symbolicLink() throws {
        let scratch = try Scratch()
        close(open(scratch("target"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        symlink(scratch("target"), scratch("link"))
        symlink(scratch("nothing"), scratch("dangling"))
        for name in ["link", "dangling"] {
            let error = #expect(throws: XDPError.self) { _ = try WrittenCapture.writer(scratch(name)) }
            #expect(error?.kind == .refused && error?.why == "it is a symbolic link")
        }
        #expect(try scratch.bytes("target").isEmpty)
        #expect(scratch.names == ["dangling", "link", "target"])
    }

    @Test("what cannot be opened is said with the system's words")
    func failures() throws {
        let scratch = try Scratch()
        let missing = #expect(throws: XDPError.self) { _ = try WrittenCapture.writer(scratch("no/a")) }
        #expect(missing?.why == "No such file or directory")
        let directory = #expect(throws: XDPError.self) { _ = try WrittenCapture.writer(scratch.path) }
        #expect(directory?.why == "Is a directory")
    }

    @Test("a full disk is an error that says what was written")
    func fullDevice() throws {
        var writer = try WrittenCapture.writer("/dev/full")
        try writer.write(try WrittenCapture.frame(0, length: 100), frame.span.bytes)
        let error = #expect(throws: XDPError.self) { try writer.file.flush() }
        #expect(error?.what == "Packets cannot be written to /dev/full")
        #expect(error?.why == "No space left on device")
        #expect(error?.remedy?.hasPrefix("0 packets are written, 0 bytes") == true)
        // Ending is no second error.
        try writer.file.finish(at: WrittenCapture.time)
    }

    @Test("a pipe of which nobody reads any more ends it quietly")
    func readerGone() throws {
        signal(SIGPIPE, SIG_IGN)
        let scratch = try Scratch()
        #expect(mkfifo(scratch("pipe"), 0o600) == 0)
        let reader = open(scratch("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        var writer = try WrittenCapture.writer(scratch("pipe"))
        try writer.write(try WrittenCapture.frame(0, length: 100), frame.span.bytes)
        try writer.file.flush()
        #expect(writer.file.hasReader)
        close(reader)
        try writer.write(try WrittenCapture.frame(0, length: 100), frame.span.bytes)
        try writer.file.flush()
        #expect(!writer.file.hasReader)
        try writer.file.finish(at: WrittenCapture.time)
        #expect(writer.file.tally.packets == 1)
    }

    @Test("a pipe that is full does not hold back who wants to end")
    func fullPipe() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let output = CaptureOutput(ends[1], "pipe", isOwned: false) { true }
        let start = ContinuousClock.now
        let outcome = output.write([UInt8](repeating: 0, count: 1 << 20))
        let hasReader = output.hasReader
        #expect(outcome == .givenUp && hasReader)
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
