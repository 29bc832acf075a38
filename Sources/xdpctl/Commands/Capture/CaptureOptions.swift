// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Capture
import Filter
import Glibc
import XDP

/// Which packets a capture takes.
struct CaptureSelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where, with commas between points; end if nothing is said.", valueName: "points"))
    var at: String?
    @Option(
        help: ArgumentHelp(
            "Only packets with these verdicts: aborted, drop, pass, tx, redirect.", valueName: "verdicts"))
    var verdict: String?
    @Option(help: ArgumentHelp("Of so many matching packets one, at all its points.", valueName: "number"))
    var every: UInt32?
    @Option(name: .customShort("s"), help: ArgumentHelp("Bytes of a packet at most.", valueName: "number"))
    var snapLength: UInt32?
    @Option(name: .customShort("c"), help: ArgumentHelp("End after so many packets.", valueName: "number"))
    var count: UInt64?
    @Option(
        name: [.customLong("duration"), .customLong("for")],
        help: ArgumentHelp("End after this time: 10s, 5m.", valueName: "time"))
    var duration: String?
    @Option(help: ArgumentHelp("Bytes that wait in the kernel at most.", valueName: "size"))
    var buffer: String?
    @Option(help: "native, generic, offload or auto, where nothing is attached yet.") var mode: ModeRequest?
    @Option(
        name: .customShort("i"),
        help: ArgumentHelp("The interface, as tcpdump has it.", valueName: "iface"), completion: .interfaces)
    var interface: String?

    func validate() throws {
        if count == 0 { throw ValidationError("-c takes a number from 1") }
        if every == 0 { throw ValidationError("--every takes a number from 1") }
        if let duration, LifeText.seconds(duration) == nil {
            throw ValidationError("--duration \(duration): write 10s, 5m or 1h")
        }
        if let snapLength, snapLength > 262_144 {
            throw ValidationError("-s takes a number up to 262144; 0 is all")
        }
    }

    /// What is asked for.
    func request(_ expression: String) throws(XDPError) -> CaptureRequest {
        var request = CaptureRequest()
        request.purpose = Self.purpose
        if let at { request.selection = try TapSelection(parsing: at) }
        request.program = try ClassicProgram(compiling: expression)
        request.verdicts = try verdict.map(Self.verdicts)
        request.every = every ?? 1
        // 0 is all to tcpdump.
        if let snapLength, snapLength > 0 { request.snapLength = snapLength }
        if let buffer {
            guard let size = CaptureRotation.size(buffer), let size = Int(exactly: size), size > 0 else {
                throw CaptureFileOptions.noSize("--buffer", buffer)
            }
            request.bufferSize = size
        }
        if let mode { request.mode = mode }
        return request
    }

    /// As it was typed, behind the command's name.
    private static var purpose: String {
        CommandLine.arguments.dropFirst().map { word in
            word.contains { $0.isWhitespace } ? "'\(word)'" : word
        }.joined(separator: " ")
    }

    private static func verdicts(_ text: String) throws(XDPError) -> Set<Verdict> {
        var found: Set<Verdict> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let verdict = Verdict(parsing: String(word)) else {
                throw GlobalOptions.invalid(
                    "--verdict \(text) is not understood", because: "\"\(word)\" is no verdict",
                    remedy: "Verdicts are \(Verdict.allCases.map(\.description).joined(separator: ", "))")
            }
            found.insert(verdict)
        }
        return found
    }
}

/// Where packets come from and go to.
struct CaptureFileOptions: ParsableArguments {
    @Option(
        name: .customShort("r"),
        help: ArgumentHelp(
            "Read packets from a file, pcap or pcapng; - is standard input.", valueName: "file"),
        completion: .file(extensions: ["pcapng", "pcap", "cap"]))
    var read: String?
    @Option(
        name: .customShort("w"), help: ArgumentHelp("Write pcapng; - is standard output.", valueName: "file"),
        completion: .file(extensions: ["pcapng"]))
    var write: String?
    @Option(
        name: .customShort("C"), help: ArgumentHelp("A new file before one is larger.", valueName: "size"))
    var size: String?
    @Option(
        name: .customShort("G"),
        help: ArgumentHelp("A new file after so long: 60, 10m, 1h.", valueName: "time"))
    var period: String?
    @Option(
        name: .customShort("W"),
        help: ArgumentHelp("So many files at most, with -C or -G; the oldest goes.", valueName: "number"))
    var files: Int?
    @Flag(name: .customShort("U"), help: "Write each packet at once.") var isUnbuffered = false
    @Flag(name: .customLong("print"), help: "With -w: print packets, too.") var prints = false

    func validate(isJSON: Bool) throws {
        if write == nil {
            for (isSaid, name) in [
                (size != nil, "-C"), (period != nil, "-G"), (files != nil, "-W"), (isUnbuffered, "-U"),
                (prints, "--print"),
            ] where isSaid {
                throw ValidationError("\(name) needs a file: -w FILE")
            }
            return
        }
        if write == "-", isJSON || prints {
            throw ValidationError("-w - and \(isJSON ? "--json" : "--print") would both use standard output")
        }
        if write == "-", size != nil || period != nil {
            throw ValidationError("standard output is one file: name another one with -w")
        }
        if write == "-", isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("pcapng is nothing for a terminal: -w - | wireshark -k -i -")
        }
        if files != nil, size == nil, period == nil {
            throw ValidationError("-W needs -C or -G, which say when a new file begins")
        }
        if let files, !(1...1_000_000).contains(files) {
            throw ValidationError("-W takes a number from 1 to 1000000")
        }
        if let write, write != "-", write == read { throw ValidationError("-r and -w name the same file") }
    }

    func rotation() throws(XDPError) -> CaptureRotation {
        var rotation = CaptureRotation(files: files)
        if let size {
            guard let bytes = CaptureRotation.size(size) else { throw Self.noSize("-C", size) }
            guard bytes >= CaptureRotation.smallest else {
                throw GlobalOptions.invalid(
                    "-C \(size) is not possible", because: "a file of that size has hardly room for a packet",
                    remedy: "Sizes are 10M, 64K, 1G")
            }
            rotation.bytes = bytes
        }
        if let period {
            guard let seconds = LifeText.seconds(period) else {
                throw GlobalOptions.invalid(
                    "-G \(period) is not understood", because: "it is no time",
                    remedy: "Write seconds, or 10m, 1h, 1d")
            }
            rotation.seconds = seconds
        }
        return rotation
    }

    static func noSize(_ option: String, _ text: String) -> XDPError {
        GlobalOptions.invalid(
            "\(option) \(text) is not understood",
            because: text.allSatisfy(\.isNumber) ? "a size has a unit" : "it is no size",
            remedy: "Sizes are 10M, 64K, 1G, 4096B")
    }
}

/// How packets are printed.
struct CaptureDisplayOptions: ParsableArguments {
    @Flag(name: .customShort("e"), help: "The Ethernet addresses, too.") var showsLink = false
    @Flag(name: .customShort("q"), help: "Short lines; -v makes long ones.") var isShort = false
    @Flag(name: .customShort("x"), help: "The bytes in hexadecimal digits; with --json in data.")
    var showsBytes = false
    @Flag(name: .customShort("X"), help: "The bytes, and the letters in them.") var showsLetters = false
    @Flag(
        name: .customShort("t"),
        help:
            "No times; -tt since 1970, -ttt since the packet before, -tttt with the day, -ttttt since the first."
    )
    var times: Int
    // Habits of tcpdump's users, which change nothing here.
    @Flag(name: .customShort("n"), help: .hidden) var numbers: Int
    @Flag(name: .customShort("l"), help: .hidden) var byLines = false

    func validate() throws {
        if times > 5 { throw ValidationError("-t comes at most five times") }
    }
}
