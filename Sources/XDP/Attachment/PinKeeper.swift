// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// The pins below `/sys/fs/bpf/xdpctl/`: they keep alive what the kernel would drop without a process,
/// which is the link and the content of program arrays. Nothing is found by them.
struct PinKeeper {
    private let directory: String

    init() throws(BPFError) {
        self.init(in: try BPFFileSystem.find())
    }

    /// Those in one file system; none is mounted for it.
    init(in fileSystem: BPFFileSystem) {
        directory = fileSystem.root + "/xdpctl"
    }

    func linkPath(_ id: UInt32) -> String { "\(directory)/link-\(id)" }
    private func arrayPath(_ id: UInt32) -> String { "\(directory)/array-\(id)" }

    /// Where xdpctl pins a link; nil for none.
    static func ownLinkPin(_ id: UInt32?) -> String? {
        guard let id, let pins = try? PinKeeper() else { return nil }
        return pins.linkPath(id)
    }

    /// The paths of all pinned links.
    func links() -> [String] {
        BPFFileSystem.entries(of: directory).filter { $0.hasPrefix("link-") }.sorted().map {
            "\(directory)/\($0)"
        }
    }

    /// Pins a link unless it is pinned; says whether it did.
    @discardableResult
    func keep(_ link: borrowing XDPLink, id: UInt32) throws(BPFError) -> Bool {
        let path = linkPath(id)
        if BPFFileSystem.exists(path) { return false }
        try BPFFileSystem.makeDirectories(directory)
        do throws(BPFError) {
            try link.pin(at: path)
            return true
        } catch {
            // Somebody else who changed the same chain pinned it first.
            if error.errno != .fileExists { throw error }
            return false
        }
    }

    func release(linkID: UInt32) throws(BPFError) {
        try BPFFileSystem.unpin(linkPath(linkID))
    }

    /// Pins the link of a chain that took the hook a moment ago: whoever was overtaken may have removed the
    /// pin. The chain runs, so nothing here may fail.
    func keepAfterSwap(linkID: UInt32) {
        guard let link = try? XDPLink.open(id: linkID) else { return }
        _ = try? keep(link, id: linkID)
    }

    /// Removes the pin of a link that holds somebody else's program, unless a chain has taken the hook
    /// meanwhile. Whoever puts a chain there looks at the pin afterwards, and so is this done: one of the two
    /// sees the other.
    func giveUp(linkID: UInt32) {
        guard let link = try? XDPLink.open(id: linkID), !Self.holdsChain(try? link.information()) else {
            return
        }
        try? release(linkID: linkID)
        if Self.holdsChain(try? link.information()) { _ = try? keep(link, id: linkID) }
    }

    private static func information(ofLinkPinnedAt path: String) -> XDPLinkInformation? {
        guard let link = try? XDPLink.open(pinnedAt: path) else { return nil }
        return try? link.information()
    }

    private static func holdsChain(_ information: XDPLinkInformation?) -> Bool {
        guard let information, information.interfaceIndex != 0,
            let program = try? Program(id: information.programID)
        else { return false }
        return ((try? ManifestStore.find(in: program)) ?? nil) != nil
    }

    /// Pins program arrays that are not pinned yet; returns those it pinned.
    func keepArrays(_ ids: Set<UInt32>, from maps: MapPool) throws(BPFError) -> [UInt32] {
        var pinned: [UInt32] = []
        do throws(BPFError) {
            for id in ids.sorted() where !BPFFileSystem.exists(arrayPath(id)) {
                try BPFFileSystem.makeDirectories(directory)
                do throws(BPFError) {
                    try maps.handle(id).map.pin(at: arrayPath(id))
                    pinned.append(id)
                } catch {
                    if error.errno != .fileExists { throw error }
                }
            }
        } catch {
            releaseArrays(pinned)
            throw error
        }
        return pinned
    }

    /// Takes pins back after a change that did not happen.
    func releaseArrays(_ ids: [UInt32]) {
        for id in ids { try? BPFFileSystem.unpin(arrayPath(id)) }
    }

    /// Removes what crashed changes and deleted interfaces left behind: pins of links that hold no interface or
    /// somebody else's program, and of program arrays that no chain has. A link or an array may belong to a change
    /// that is just on its way, so only those are removed that are over a minute old or known to be given up. The
    /// directory stays, since somebody may be about to pin in it.
    ///
    /// - Parameters:
    ///   - givenUp: arrays that the caller's change left behind.
    ///   - former: the programs that referred to them, which may live on for a moment.
    func sweep(givenUp: Set<UInt32>, by former: Set<UInt32> = []) {
        let names = BPFFileSystem.entries(of: directory)
        for name in names where name.hasPrefix("link-") {
            let path = "\(directory)/\(name)"
            // Closed again at once: two that sweep would take each other for holders.
            guard let information = Self.information(ofLinkPinnedAt: path) else { continue }
            if information.interfaceIndex == 0 {
                try? BPFFileSystem.unpin(path)
            } else if Self.age(of: path) > 60, !Self.holdsChain(information),
                LinkHolders.look(for: information.id, besides: path) == .others
            {
                // Left by a change that was killed, or the owner took its hook back: it needs no pin of ours.
                giveUp(linkID: information.id)
            }
        }
        let arrays = names.filter { $0.hasPrefix("array-") }
        guard !arrays.isEmpty, let users = try? Self.usersOfMaps() else { return }
        var hasWaited = false
        for name in arrays {
            let path = "\(directory)/\(name)"
            guard let id = UInt32(name.dropFirst("array-".count)) else { continue }
            // Programs in an array may refer to it themselves, which does not count as use.
            let own = former.union(Self.programs(inArrayPinnedAt: path))
            guard users[id, default: []].isSubset(of: own) else { continue }
            guard givenUp.contains(id) || Self.age(of: path) > 60 else { continue }
            // The kernel empties the array at once; a packet may still be on its way through the old chain.
            if !hasWaited { GracePeriod.wait() }
            hasWaited = true
            try? BPFFileSystem.unpin(path)
        }
    }

    /// What ``sweep(givenUp:by:)`` would remove of what is older than so many seconds; it is only named.
    func stale(olderThan age: Int) -> [StalePin] {
        var found: [StalePin] = []
        let names = BPFFileSystem.entries(of: directory)
        let users = try? Self.usersOfMaps()
        for name in names {
            let path = "\(directory)/\(name)"
            guard Self.age(of: path) > age else { continue }
            if name.hasPrefix("link-") {
                guard Self.information(ofLinkPinnedAt: path)?.interfaceIndex == 0 else { continue }
                found.append(StalePin(path: path, reason: .linkWithoutInterface))
            } else if name.hasPrefix("array-"), let id = UInt32(name.dropFirst("array-".count)), let users,
                users[id, default: []].isSubset(of: Self.programs(inArrayPinnedAt: path))
            {
                found.append(StalePin(path: path, reason: .unusedArray))
            }
        }
        return found
    }

    /// Which programs in the kernel refer to each map: attached ones, those that stand in arrays, and those of
    /// changes on their way. Programs are asked and not manifests, which may be of a version that this one
    /// cannot read.
    private static func usersOfMaps() throws(BPFError) -> [UInt32: Set<UInt32>] {
        var users: [UInt32: Set<UInt32>] = [:]
        for id in try KernelIDs.programs() {
            do throws(BPFError) {
                for map in try Program(id: id).mapIDs() { users[map, default: []].insert(id) }
            } catch {
                if error.errno != .noSuchFileOrDirectory { throw error }
            }
        }
        return users
    }

    /// The programs in the first places of an array.
    static func programs(inArrayPinnedAt path: String) -> Set<UInt32> {
        guard let array = try? BPFMap(pinnedAt: path) else { return [] }
        return (try? programs(in: array)) ?? []
    }

    static func programs(in array: borrowing BPFMap) throws(BPFError) -> Set<UInt32> {
        let places = min(Int(try array.information().definition.maximumEntries), 4096)
        var found: Set<UInt32> = []
        for place in 0..<places {
            if let id = try array.programID(at: place) { found.insert(id) }
        }
        return found
    }

    /// Seconds since the pin was made.
    private static func age(of path: String) -> Int {
        var information = stat()
        guard stat(path, &information) == 0 else { return 0 }
        return time(nil) - information.st_ctim.tv_sec
    }
}
