// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Filter
import XDP

struct FilterTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Show packets to rules, without any interface.",
        discussion: """
            A packet is written in words, as one argument, or comes from a capture file (pcap or pcapng of \
            Ethernet; - for standard input). It needs no root and changes nothing. For each packet in words it \
            says which rule decides, and which others it met; for files what each rule saw.

            Packets in words come all at once, those of a file at their times: limits and the lives of \
            elements go by that. With --expect the exit status is 1 if a packet gets another verdict, so that \
            tests can stand beside the rules. Documentation/filter.md describes the words.

            Examples:
              xdpctl filter test edge.xdp 'tcp from 1.2.3.4:5 to 5.6.7.8:22 syn'
              xdpctl filter test edge.xdp 'icmp echo-request length 1500' 'arp'
              xdpctl filter test edge.xdp --expect drop 'udp fragment later'
              xdpctl filter test edge.xdp yesterday.pcap --each
            """)

    @Argument(help: "A rule file; - for standard input.", completion: .file(extensions: ["xdp"]))
    var rules: String
    @Argument(
        help: "Packets in words, and capture files.",
        completion: .file(extensions: ["pcap", "pcapng", "cap"]))
    var packets: [String]
    @Option(
        help: ArgumentHelp(
            "Fail unless every packet gets this verdict: drop, pass, abort, tx, redirect.",
            valueName: "verdict"))
    var expect: String?
    @Flag(help: "A line for each packet of files, too.") var each = false
    @OptionGroup(title: "General") var options: GlobalOptions

    func validate() throws {
        if packets.isEmpty {
            throw ValidationError("name a packet: 'tcp from 1.2.3.4 to 5.6.7.8:22 syn', or a file")
        }
        if (packets + [rules]).filter({ $0 == "-" }).count > 1 {
            throw ValidationError("standard input can be read once")
        }
        if let expect, Self.verdict(expect) == nil {
            throw ValidationError("--expect \(expect): a verdict is drop, pass, abort, tx or redirect")
        }
    }

    private static func verdict(_ text: String) -> Verdict? {
        text == "abort" ? .aborted : Verdict(parsing: text)
    }

    func run() throws {
        var hasFailed = false
        try options.perform { () throws(XDPError) in
            var session = FilterTestSession(
                trial: try PacketTrial(try RuleInput.rules(rules), directory: directory), file: rules,
                expected: expect.flatMap(Self.verdict), showsEach: each, isJSON: options.json)
            for argument in packets {
                if Self.isFile(argument) {
                    try session.show(file: argument)
                } else {
                    session.show(try WrittenPacket(parsing: argument))
                }
            }
            hasFailed = session.finish()
        }
        if hasFailed { throw ExitCode(1) }
    }

    /// Where the files of sets begin.
    private var directory: String {
        guard let slash = rules.lastIndex(of: "/") else { return "." }
        return slash == rules.startIndex ? "/" : String(rules[..<slash])
    }

    /// Packets have several words, or are one that begins a packet; everything else is a path.
    private static func isFile(_ argument: String) -> Bool {
        if argument == "-" { return true }
        let words = argument.split(whereSeparator: \.isWhitespace)
        return words.count == 1 && !WrittenPacket.isWord(argument)
    }
}
