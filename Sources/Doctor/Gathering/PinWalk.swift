// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Walks BPF file systems and looks at who may use what is pinned. No pin is opened for it.
struct PinWalk {
    /// Entries that are looked at in all, and how deep.
    static let maximumEntries = 20_000
    static let maximumDepth = 16

    private(set) var facts = MachineFacts.PinFacts()
    private var isCut = false

    init(_ fileSystems: [BPFFileSystem]) {
        for fileSystem in fileSystems {
            var status = stat()
            guard lstat(fileSystem.root, &status) == 0 else {
                facts.gaps.append(FactFile.reason(fileSystem.root))
                continue
            }
            // The root is as the distribution mounts it, with everybody welcome and the sticky bit.
            let reach = Self.reach(status, from: [.group, .everybody])
            let root = Self.fact(fileSystem.root, status, [.group, .everybody])
            if root.openTo != nil { facts.open.append(root) }
            walk(fileSystem.root, depth: 0, reach)
        }
        if isCut {
            facts.gaps.append("there are more than \(Self.maximumEntries) pins, or they are too deep")
        }
    }

    private mutating func walk(_ directory: String, depth: Int, _ reach: Set<PinFact.Audience>) {
        guard let stream = opendir(directory) else {
            facts.gaps.append(FactFile.reason(directory))
            return
        }
        var names: [String] = []
        while let entry = readdir(stream), names.count <= Self.maximumEntries {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        closedir(stream)
        for name in names.sorted() {
            guard facts.count < Self.maximumEntries, depth < Self.maximumDepth else {
                isCut = true
                return
            }
            facts.count += 1
            let path = "\(directory)/\(name)"
            var status = stat()
            // Gone meanwhile. Links are not followed: what they lead to is found by itself.
            guard lstat(path, &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFDIR || kind == S_IFREG else { continue }
            let fact = Self.fact(path, status, reach)
            if fact.openTo != nil { facts.open.append(fact) }
            if kind == S_IFDIR { walk(path, depth: depth + 1, Self.reach(status, from: reach)) }
        }
    }

    private static func fact(
        _ path: String, _ status: stat, _ reach: Set<PinFact.Audience>
    ) -> PinFact {
        PinFact(
            path: path, mode: status.st_mode & 0o7777, userID: status.st_uid, groupID: status.st_gid,
            isDirectory: status.st_mode & S_IFMT == S_IFDIR, reachableBy: reach)
    }

    /// Who gets through a directory.
    private static func reach(_ status: stat, from: Set<PinFact.Audience>) -> Set<PinFact.Audience> {
        var reach = from
        if status.st_mode & 0o1 == 0 { reach.remove(.everybody) }
        // A group may be one of everybody.
        if status.st_mode & 0o11 == 0 { reach.remove(.group) }
        return reach
    }
}
