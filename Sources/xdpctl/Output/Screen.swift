// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Synchronization

/// A view that is drawn again and again: in place on a terminal, block after block elsewhere.
///
/// On a terminal it takes the alternate screen, so that what was there before comes back when it ends: by a signal that ends it,
/// by an error (``end()`` is called by whoever made it), or for the time of SIGTSTP. It is drawn anew when the window
/// changes.
struct Screen: ~Copyable {
    let isTerminal: Bool
    private var last: [String] = []
    private var isEntered = false

    /// What a handler of signals leaves behind.
    private static let isOutdated = Atomic(false)
    private static let wasStopped = Atomic(false)

    /// The other screen, no cursor, and no line that goes on in the next one: some characters take two columns.
    private static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l"
    private static let leave = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

    init() {
        let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
        isTerminal = isatty(STDOUT_FILENO) == 1 && !["", "dumb"].contains(terminal)
        Interruption.catchSignals([SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        guard isTerminal else { return }
        // Made now, and not by a handler.
        _ = Self.leaveBytes
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in Screen.isOutdated.store(true, ordering: .relaxed) }
        sigaction(SIGWINCH, &action, nil)
        action.__sigaction_handler.sa_handler = { _ in
            Screen.wasStopped.store(true, ordering: .relaxed)
            Screen.isOutdated.store(true, ordering: .relaxed)
        }
        sigaction(SIGCONT, &action, nil)
        // The shell shall have its screen while this is stopped. What is called here may be called in a handler.
        action.__sigaction_handler.sa_handler = { _ in
            Screen.write(Screen.leaveBytes)
            kill(getpid(), SIGSTOP)
        }
        sigaction(SIGTSTP, &action, nil)
    }

    deinit { Self.finish(isEntered) }

    /// Shows lines in place of those before.
    mutating func show(_ lines: [String]) {
        last = lines
        guard isTerminal else {
            print(lines.joined(separator: "\n") + "\n")
            fflush(nil)
            return
        }
        draw()
    }

    /// Waits; false if the user wants it to end.
    mutating func wait(seconds: Double) -> Bool {
        let end = Self.now() + seconds
        // Where SIGPIPE is ignored nothing else would end it once its reader has gone.
        while !Interruption.hasCome, cbpf_output_has_failed() == 0 {
            let rest = end - Self.now()
            if rest <= 0 { return true }
            if isEntered, Self.isOutdated.exchange(false, ordering: .relaxed) { draw() }
            // A signal between the look and the wait is seen after this long.
            poll(nil, 0, Int32(min(rest, 0.1) * 1000) + 1)
        }
        return false
    }

    /// Gives the terminal back. Doing it again does nothing.
    mutating func end() {
        Self.finish(isEntered)
        isEntered = false
    }

    // MARK: Drawing

    private mutating func draw() {
        guard isTerminal else { return }
        let (width, height) = Self.size()
        var text = ""
        if !isEntered || Self.wasStopped.exchange(false, ordering: .relaxed) { text += Self.enter }
        isEntered = true
        var shown = last.flatMap {
            $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        if shown.count > height {
            let hidden = shown.count - height + 1
            shown = shown.prefix(max(height - 1, 0)) + ["… \(hidden) more lines: the window is too low"]
        }
        // Home, the lines, each without what is left of the one before, and away with what is below.
        text += "\u{1b}[H" + shown.map { Self.cut($0, to: width) + "\u{1b}[K" }.joined(separator: "\r\n")
        text += "\u{1b}[J"
        Self.write(Array(text.utf8))
    }

    /// A line of so many columns; sequences that only colour take none.
    static func cut(_ line: String, to width: Int) -> String {
        var text = ""
        var columns = 0
        var isSequence = false
        for character in line {
            if character == "\u{1b}" { isSequence = true }
            if isSequence {
                text.append(character)
                if character.isLetter { isSequence = false }
                continue
            }
            guard columns < width else { continue }
            text.append(character)
            columns += 1
        }
        return text
    }

    /// Columns and lines of the window.
    private static func size() -> (width: Int, height: Int) {
        var window = winsize()
        guard cbpf_ioctl_pointer(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0,
            window.ws_row > 0
        else { return (80, 24) }
        return (Int(window.ws_col), Int(window.ws_row))
    }

    private static let leaveBytes = Array(leave.utf8)

    private static func finish(_ isEntered: Bool) {
        if isEntered { write(leaveBytes) }
    }

    private static func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
