// SPDX-License-Identifier: Apache-2.0

// What programs answered.
extension EventMeaning {
    static var exceptions: [Entry] {
        [
            Entry(
                rule: "aborted", applies: { key, _ in key.kind == .exception && key.verdict == 0 },
                what: { "\($0.program) answered aborted" },
                meaning: { subject in
                    "packets were dropped: the program found an error in itself, or redirected through a map that "
                        + "has no entry for the key"
                        + (subject.names.members.isEmpty
                            ? "" : "; so far \(list(subject.names.members)) answered so")
                },
                remedy: { subject in
                    "`xdpctl capture \(subject.interface) --at all --verdict aborted` shows the packets, `xdpctl inspect` "
                        + "where a program answers so; look whether its redirect maps are filled"
                }),
            Entry(
                rule: "transmit-failed", applies: { key, _ in key.kind == .exception && key.verdict == 3 },
                what: { "the driver of \($0.interface) could not send a packet back" },
                meaning: { _ in
                    "a packet that was answered tx was dropped: there was no room, or no queue for it"
                },
                remedy: { subject in
                    subject.names.peerRemedy
                        ?? "Give the interface larger rings or more queues: `ethtool -g \(subject.interface)`, `ethtool -l "
                        + "\(subject.interface)`"
                }),
            Entry(
                rule: "redirect-failed", applies: { key, _ in key.kind == .exception && key.verdict == 4 },
                what: { "the driver of \($0.interface) could not redirect a packet" },
                meaning: { _ in
                    "a packet that was answered redirect was dropped by the driver where it came in"
                },
                remedy: { subject in
                    "`xdpctl features \(subject.interface)` shows whether its driver can redirect; another event tells where to"
                }),
            Entry(
                rule: "unknown-verdict", applies: { key, _ in key.kind == .exception && key.verdict > 4 },
                what: { "\($0.program) answered \($0.key.verdict), which is no verdict" },
                meaning: { _ in "packets were dropped: verdicts are numbers from 0 to 4" },
                remedy: { _ in "Mend the program: `xdpctl inspect` shows where it computes what it answers" }),
            Entry(
                rule: "exception", applies: { key, _ in key.kind == .exception },
                what: { "\($0.program) answered \(verdictName($0.key.verdict)), and the driver failed" },
                meaning: { _ in "packets were dropped by the driver" },
                remedy: { subject in "Look at the driver's own counters: `ethtool -S \(subject.interface)`" }),
        ]
    }

    static func verdictName(_ verdict: UInt32) -> String {
        switch verdict {
        case 0: "aborted"
        case 1: "drop"
        case 2: "pass"
        case 3: "tx"
        case 4: "redirect"
        default: "\(verdict)"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }

    static var attachments: [Entry] {
        func failed(
            _ rule: String, _ words: [String], _ meaning: String, _ remedy: String
        ) -> Entry {
            Entry(
                rule: rule,
                applies: { key, text in
                    key.kind == .attachFailed && (words.isEmpty || words.contains { text.contains($0) })
                },
                what: { subject in
                    let who = subject.event.command.isEmpty ? "a process" : subject.event.command
                    let number = subject.event.process == 0 ? "" : " (process \(subject.event.process))"
                    let said = subject.event.text.isEmpty ? "" : ": \(subject.event.text)"
                    return "\(who)\(number) could not attach a program\(said)"
                }, meaning: { _ in meaning }, remedy: { _ in remedy })
        }
        return [
            failed(
                "attach-offloads", ["LRO", "GRO"],
                "the card joins packets, which its driver does not allow with XDP",
                "`ethtool -K IFACE lro off rx-gro-hw off`, as far as the card knows them"),
            failed(
                "attach-mtu", ["MTU", "mtu", "too large", "frags", "single buffer", "single-buffer"],
                "packets may be larger than the program takes in one buffer",
                "Lower the MTU (on veth the peer's), or use programs that are all built as xdp.frags"),
            failed(
                "attach-queues", ["queue", "ring"], "the driver has not enough queues left for XDP",
                "Use fewer queues, so that there are some left for XDP (`ethtool -L`; on veth the peer's tx)"),
            failed(
                "attach-native", ["does not support XDP in native mode"],
                "the driver runs no programs itself",
                "Use --mode generic, which works on every interface and is slower, or --mode auto"),
            failed(
                "attach-taken",
                ["already attached", "Can't replace", "at the same time", "does not match expected"],
                "another program, or another way to attach, has the interface",
                "`xdpctl status` shows what runs there; `xdpctl adopt` lets others join it"),
            failed(
                "attach-failed", [], "the kernel refused the program",
                "`xdpctl doctor` and `xdpctl features IFACE` show what is missing"),
        ]
    }

    static var successes: [Entry] {
        [
            Entry(
                rule: "redirected", applies: { key, _ in key.kind == .redirect },
                what: { "redirected to \($0.destination)" },
                meaning: { _ in "as it should be" }, remedy: { _ in nil })
        ]
    }
}
