// SPDX-License-Identifier: Apache-2.0
import XDP

/// A script for sh that makes the findings of an examination go which can be made to go: those that are warnings and
/// errors. It changes what they name and nothing else; what needs a decision or a restart is a comment in it.
public struct FixScript: Sendable {
    /// Where settings for the next start are written.
    public static let settingsFile = "/etc/sysctl.d/90-xdpctl.conf"

    public let text: String

    public init(_ examination: Examination) {
        var lines: [String] = []
        var done: Set<Repair> = []
        for entry in examination.findings {
            guard let repair = entry.repair, entry.finding.severity > .fine else { continue }
            lines.append("")
            lines += Self.comment(entry.finding)
            guard entry.finding.severity > .note, let step = Self.step(repair) else {
                let condition = entry.finding.severity > .note ? "By hand" : "If it matters"
                lines += Self.comment("\(condition): \(entry.finding.remedy ?? "")")
                continue
            }
            lines.append(done.insert(repair).inserted ? step : "# (done above)")
        }
        if lines.isEmpty { lines = ["", "# There is nothing to do."] }
        let head = Self.head(examination) + done.functions
        text = (head + lines + ["", "exit \"$status\""]).joined(separator: "\n") + "\n"
    }

    /// A text as one word of the shell.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func head(_ examination: Examination) -> [String] {
        ["#!/bin/sh"]
            + comment(
                "From `xdpctl doctor --fix-script --profile \(examination.profile.rawValue)`, for the machine that it "
                    + "ran on, with Linux \(examination.kernel.withoutControls). Read it, then run it as root. It asks "
                    + "nothing, and a second run changes nothing.")
            + ["", "set -eu", "status=0"]
    }

    private static func step(_ repair: Repair) -> String? {
        switch repair {
        case .set(let setting, let value): "set_now_and_at_start \(setting.rawValue) \(value)"
        case .mount(let type, let path): "mount_once \(type) \(path)"
        case .restrict(let path, let mode): "restrict \(mode) \(quoted(path))"
        case .remove(let path): "rm -f \(quoted(path)) || not_done 'a pin'"
        case .byHand: nil
        }
    }

    private static func comment(_ finding: CheckFinding) -> [String] {
        comment("\(finding.severity.rawValue), \(finding.rule): \(finding.subject): \(finding.what).")
            + finding.evidence.flatMap { comment("  \($0)") }
    }

    /// Lines of a comment; nothing in the text can end them.
    private static func comment(_ text: String) -> [String] {
        var lines: [String] = []
        var line = "#"
        for word in text.withoutControls.split(separator: " ", omittingEmptySubsequences: false) {
            if line.count > 1, line.count + 1 + word.count > 96 {
                lines.append(line)
                line = "#"
            }
            line += " " + word
        }
        return lines + [line]
    }
}

extension Set<Repair> {
    /// The functions that the steps call.
    fileprivate var functions: [String] {
        var lines = [
            "", "not_done() {", "    printf 'not done: %s\\n' \"$1\" >&2", "    status=1", "}",
        ]
        if contains(where: { if case .set = $0 { true } else { false } }) { lines += Self.setting }
        if contains(where: { if case .mount = $0 { true } else { false } }) { lines += Self.mounting }
        if contains(where: { if case .restrict = $0 { true } else { false } }) { lines += Self.restricting }
        return lines
    }

    private static var setting: [String] {
        """

        # set_now_and_at_start NAME VALUE
        set_now_and_at_start() {
            file=/proc/sys/$(printf '%s' "$1" | tr . /)
            if [ "$(cat "$file")" != "$2" ] && ! printf '%s\\n' "$2" >"$file"; then
                not_done "$1 = $2"
                return
            fi
            settings=\(FixScript.settingsFile)
            kept=
            if [ -e "$settings" ]; then kept=$(grep -v "^$1 *=" "$settings" || true); fi
            if ! mkdir -p "${settings%/*}" || ! {
                if [ -n "$kept" ]; then printf '%s\\n' "$kept"; fi
                printf '%s = %s\\n' "$1" "$2"
            } >"$settings"; then
                not_done "$1 in $settings"
            fi
        }
        """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static var mounting: [String] {
        """

        # mount_once TYPE DIRECTORY
        mount_once() {
            if grep -q " $2 $1 " /proc/mounts; then return; fi
            mount -t "$1" "$1" "$2" || not_done "mount $2"
        }
        """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static var restricting: [String] {
        """

        # restrict MODE PATH
        restrict() {
            if [ -e "$2" ]; then chmod "$1" "$2" || not_done "chmod $1 $2"; fi
        }
        """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
