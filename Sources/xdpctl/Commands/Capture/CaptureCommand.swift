// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Capture
import Glibc
import XDP

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "See packets at points of a chain, with their verdicts.",
        discussion: """
            It is tcpdump for XDP: it sees what programs drop, send back and redirect, before and after each of \
            them. The expression is that of pcap-filter(7), and is evaluated in the kernel. Without a chain there \
            is an empty one as long as packets are captured; a program of somebody else is adopted for that time.

            Points (--at) are start, end, NAME:entry, NAME:exit, NAME (both), all (start, every exit, end), \
            all:entry and all:exit. Sizes are 10M, 64K, 1G. Addresses and ports are printed as \
            numbers; -v adds TTL, identification and options of TCP.

            With -w the packets go to a pcapng file, every point as an interface of its own; files can be read by \
            Wireshark, tshark and tcpdump, and with -r. Documentation/capture.md tells more.

            Examples:
              xdpctl capture eth0 tcp port 443 and host 192.0.2.7
              xdpctl capture eth0 --at ids:exit,end --verdict drop,aborted -c 100
              xdpctl capture eth0 -w - icmp | wireshark -k -i -
              xdpctl capture eth0 --every 1000 -s 96 -C 100M -W 10 -w ring.pcapng
              xdpctl capture -r drops.pcapng --at ids:exit udp
              xdpctl capture eth0 --list
            """)

    @Argument(
        help: ArgumentHelp(
            "The interface (not with -r), then the expression in one word or several.", valueName: "iface"),
        completion: .interfaces)
    var words: [String] = []
    @OptionGroup(title: "Packets") var selection: CaptureSelectionOptions
    @OptionGroup(title: "Files") var files: CaptureFileOptions
    @OptionGroup(title: "Text") var display: CaptureDisplayOptions
    @Flag(help: "Show the points of the interface, and the captures that run.") var list = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        try files.validate(isJSON: options.json)
        if let read = files.read {
            for (isSaid, name) in [
                (selection.every != nil, "--every"), (selection.duration != nil, "--duration"),
                (selection.buffer != nil, "--buffer"), (selection.mode != nil, "--mode"),
                (selection.interface != nil, "-i"), (list, "--list"), (options.netns != nil, "--netns"),
            ] where isSaid {
                throw ValidationError("\(name) has no meaning with -r \(read)")
            }
        } else if interface == nil {
            throw ValidationError("name an interface: xdpctl capture eth0; or a file: -r FILE")
        }
    }

    func run() throws {
        // What nobody reads, and what no file takes, is noticed where it is written.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        var status: Int32 = 0
        try options.perform { () throws(XDPError) in
            if list, let interface {
                let output = try CaptureListOutput(try Interface(named: interface))
                if options.json { JSONOutput.print(output) } else { print(output.text) }
                return
            }
            let request = try selection.request(expression)
            if let path = files.read {
                var capture = try FileCapture(path, request, self)
                try capture.run()
            } else if let interface {
                Interruption.catchSignals()
                let capture = try LiveCapture(interface, request, self)
                status = try capture.run()
            }
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// The one that is captured on.
    private var interface: String? {
        selection.interface ?? (files.read == nil ? words.first : nil)
    }

    /// The words of the expression, as tcpdump joins them.
    private var expression: String {
        let isNamedFirst = files.read == nil && selection.interface == nil
        return words.dropFirst(isNamedFirst ? 1 : 0).joined(separator: " ")
    }
}
