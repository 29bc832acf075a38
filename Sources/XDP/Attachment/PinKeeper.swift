// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// The pins below `/sys/fs/bpf/xdpctl/`: they keep alive what the kernel would drop without a process,
/// which is the link and the content of program arrays. Nothing is found by them.
struct PinKeeper {
    private let directory: String

    init() throws(BPFError) {
        directory = try BPFFileSystem.find().root + "/xdpctl"
    }

    private func linkPath(_ id: UInt32) -> String { "\(directory)/link-\(id)" }
    private func arrayPath(_ id: UInt32) -> String { "\(directory)/array-\(id)" }

    /// Pins a link unless it is pinned.
    func keep(_ link: borrowing XDPLink, id: UInt32) throws(BPFError) {
        let path = linkPath(id)
        if BPFFileSystem.exists(path) { return }
        try BPFFileSystem.makeDirectories(directory)
        do throws(BPFError) {
            try link.pin(at: path)
        } catch {
            // Somebody else who changed the same chain pinned it first.
            if error.errno != .fileExists { throw error }
        }
    }

    func release(linkID: UInt32) throws(BPFError) {
        try BPFFileSystem.unpin(linkPath(linkID))
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

    /// Removes what crashed changes and deleted interfaces left behind: pins of links that hold no interface,
    /// and of program arrays that no chain has. An array may belong to a change that is just on its way, so
    /// only those are removed that are over a minute old or known to be given up. The directory stays, since
    /// somebody may be about to pin in it.
    func sweep(givenUp: Set<UInt32>) {
        let names = BPFFileSystem.entries(of: directory)
        for name in names where name.hasPrefix("link-") {
            let path = "\(directory)/\(name)"
            guard let link = try? XDPLink.open(pinnedAt: path), let information = try? link.information()
            else {
                continue
            }
            if information.interfaceIndex == 0 { try? BPFFileSystem.unpin(path) }
        }
        let arrays = names.filter { $0.hasPrefix("array-") }
        guard !arrays.isEmpty, let used = try? Self.mapsInUse() else { return }
        for name in arrays {
            let path = "\(directory)/\(name)"
            guard let id = UInt32(name.dropFirst("array-".count)), !used.contains(id) else { continue }
            if givenUp.contains(id) || Self.age(of: path) > 60 { try? BPFFileSystem.unpin(path) }
        }
    }

    /// The maps of all programs that links hold, program arrays among them. The program is asked and not
    /// its manifest, which may be of a version that this one cannot read.
    private static func mapsInUse() throws(BPFError) -> Set<UInt32> {
        var used: Set<UInt32> = []
        for id in try KernelIDs.links() {
            guard let link = try XDPLink.open(id: id), let information = try link.information() else {
                continue
            }
            let program: Program
            do throws(BPFError) {
                program = try Program(id: information.programID)
            } catch {
                if error.errno == .noSuchFileOrDirectory { continue }
                throw error
            }
            used.formUnion(try program.mapIDs())
        }
        return used
    }

    /// Seconds since the pin was made.
    private static func age(of path: String) -> Int {
        var information = stat()
        guard stat(path, &information) == 0 else { return 0 }
        return time(nil) - information.st_ctim.tv_sec
    }
}
