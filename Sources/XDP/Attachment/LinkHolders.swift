// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Who keeps a link alive.
enum LinkHolders {
    enum Answer: Equatable {
        /// A process, or another pin.
        case others
        case nobody
        /// Nobody was found, and not everybody could be looked at.
        case unknown
    }

    /// How often a process has to be seen with a descriptor to count, and how long to wait between two looks, in
    /// microseconds. Who lists links without a pause is seen with one of them now and then.
    private static let looks = 6
    private static let pause: Range<UInt32> = 20_000..<60_000

    /// Whether another process has a descriptor of a link, or a pin other than the given one holds it.
    ///
    /// Takes milliseconds, for it looks into every process and at every pin.
    static func look(for link: UInt32, besides path: String) -> Answer {
        let pins = PinScan(links: [link], in: BPFFileSystem.reachable())
        let own = File(path)
        // The same pin may be reached on several ways.
        if pins.paths(ofLink: link).contains(where: { $0 != path && File($0) != own }) { return .others }
        let first = HolderScan(links: [link])
        var holders = first.processes(ofLink: link)
        // Whoever lists links has each of them open for a moment, and keeps none alive.
        for _ in 1..<looks where !holders.isEmpty {
            usleep(UInt32.random(in: pause))
            holders.formIntersection(HolderScan(links: [link]).processes(ofLink: link))
        }
        if !holders.isEmpty { return .others }
        return pins.isCut || first.hiddenProcesses > 0 ? .unknown : .nobody
    }

    /// What tells files apart.
    private struct File: Equatable {
        let device: dev_t
        let inode: ino_t

        init?(_ path: String) {
            var information = stat()
            guard stat(path, &information) == 0 else { return nil }
            device = information.st_dev
            inode = information.st_ino
        }
    }
}
