// SPDX-License-Identifier: Apache-2.0

/// What the pages say alike, because it is true of every command.
enum SharedText {
    static func writeDescription(to roff: inout Roff) {
        let paragraphs = [
            """
            An interface has one XDP hook. xdpctl puts one program there, the linked chain: its members are \
            unmodified XDP programs of any origin, linked in user space. An edge says where a packet goes after \
            a member's verdict: to the next member, to the end, or to a member by name. Unless said otherwise \
            `pass` goes to the next and everything else ends.
            """,
            """
            A change links a new chain and swaps it in, in one step, if the one that it was made from is still \
            there. The kernel is the only state: there is no daemon, no lock and no state file.
            """,
        ]
        for paragraph in paragraphs {
            roff.macro("PP")
            roff.text(Roff.prose(paragraph))
        }
    }

    static func writeStatus(to roff: inout Roff) {
        roff.macro("SH", "EXIT STATUS")
        let meanings = [
            "Done.",
            "Failed. The message says what was attempted, why it failed in the kernel's own words, and what to do.",
            "Wrong usage.",
            "Refused by a check before anything was tried.",
        ]
        for (status, meaning) in meanings.enumerated() {
            roff.macro("TP")
            roff.text(Roff.bold("\(status)"))
            roff.text(Roff.prose(meaning))
        }
        roff.macro("PP")
        roff.text(
            Roff.prose(
                "Unless the status is 0 nothing was changed on the interface, or the message says what was."))
    }

    static func writeJSON(to roff: inout Roff) {
        roff.macro("SH", "JSON")
        roff.text(
            Roff.prose(
                """
                With `--json` one object is printed on the standard output, also when the command fails; commands that \
                go on until they are ended print one a line. Its member `format` is 1; within a format members are \
                added, and none is renamed or removed. A failure has the \
                member `error` with `kind`, `what`, `why`, and where there are any `remedy` and `details`.
                """))
    }

    static func writeFiles(to roff: inout Roff) {
        roff.macro("SH", "FILES")
        let files = [
            (
                "/etc/xdpctl/",
                "Descriptions of interfaces, applied at boot where `xdpctl.service` is enabled."
            ),
            (
                "/sys/fs/bpf/xdpctl/",
                "Pins: the links that hold the interfaces, and program arrays of members."
            ),
        ]
        for (path, meaning) in files {
            roff.macro("TP")
            roff.text(Roff.italic(path))
            roff.text(Roff.prose(meaning))
        }
    }
}
