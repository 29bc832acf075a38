// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Whether the user wants a command that goes on and on to end: by SIGINT, SIGTERM, SIGHUP, or what else is caught.
enum Interruption {
    private static let flag = Atomic(false)

    static var hasCome: Bool { flag.load(ordering: .relaxed) }

    /// From now on these signals end waiting, and nothing else. SIGHUP stays ignored where it is: nohup(1) does that.
    static func catchSignals(_ signals: [Int32] = [SIGINT, SIGTERM, SIGHUP]) {
        var action = sigaction()
        // What a handler may do is little; setting a number is allowed. Without SA_RESTART, so that poll(2) ends.
        action.__sigaction_handler.sa_handler = { _ in Interruption.flag.store(true, ordering: .relaxed) }
        for signal in signals {
            var former = sigaction()
            sigaction(signal, nil, &former)
            let isIgnored = unsafeBitCast(former.__sigaction_handler.sa_handler, to: Int.self) == 1
            if signal != SIGHUP || !isIgnored { sigaction(signal, &action, nil) }
        }
    }
}
