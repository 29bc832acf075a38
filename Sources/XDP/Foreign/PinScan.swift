// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Which pins hold programs and links. Every pin has to be opened for it, so there is a bound.
struct PinScan {
    /// Pins and directories that are looked at in all, and how deep.
    static let maximumEntries = 20_000
    static let maximumDepth = 16

    private let programs: Set<UInt32>
    private let links: Set<UInt32>
    private var pins: [UInt32: [ProgramPin]] = [:]
    private var linkPaths: [UInt32: [String]] = [:]
    private var seen = 0
    /// Whether there was more than is looked at.
    private(set) var isCut = false

    init(programs: Set<UInt32> = [], links: Set<UInt32> = [], in fileSystems: [BPFFileSystem]) {
        self.programs = programs
        self.links = links
        guard !programs.isEmpty || !links.isEmpty else { return }
        for fileSystem in fileSystems { walk(fileSystem.root, depth: 0) }
    }

    private mutating func walk(_ directory: String, depth: Int) {
        for name in BPFFileSystem.entries(of: directory) {
            guard seen < Self.maximumEntries, depth < Self.maximumDepth else {
                isCut = true
                return
            }
            seen += 1
            let path = "\(directory)/\(name)"
            var status = stat()
            // Links of the file system are not followed: what they lead to is found by itself.
            guard lstat(path, &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: walk(path, depth: depth + 1)
            case S_IFREG: take(path)
            default: break
            }
        }
    }

    private mutating func take(_ path: String) {
        let object = PinnedObject(at: path)
        if case .link(let link, _)? = object, links.contains(link) { linkPaths[link, default: []].append(path) }
        switch object {
        case .program(let id)? where programs.contains(id):
            pins[id, default: []].append(ProgramPin(path: path, holdsLink: false))
        case .link(_, let id)? where programs.contains(id):
            pins[id, default: []].append(ProgramPin(path: path, holdsLink: true))
        default: break
        }
    }

    /// The pins of a link.
    func paths(ofLink link: UInt32) -> [String] { linkPaths[link] ?? [] }

    /// By path.
    func pins(of program: UInt32) -> [ProgramPin] { pins[program] ?? [] }
}
