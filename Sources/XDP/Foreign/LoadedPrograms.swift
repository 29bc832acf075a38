// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink

/// The XDP programs in the kernel and what keeps each of them there.
///
/// It looks into every network namespace that can be found, every process, every pin, and where that is not
/// enough into maps. Needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE for the processes of other users.
public struct LoadedPrograms: Sendable, Hashable {
    /// A program, and everything that was found to hold it.
    public struct Entry: Sendable, Hashable {
        public var id: UInt32
        public var name: String
        /// Who loaded it.
        public var userID: UInt32
        /// Interfaces that run it: "eth0", "eth0 in network namespace blue".
        public var interfaces: [String]
        /// Links that hold it, attached or not.
        public var links: [UInt32]
        public var pins: [String]
        public var processes: [ProgramHolder]
        /// Maps that have it as an element: program arrays, and maps that redirect to devices or processors.
        public var maps: [UInt32]
        /// Programs that extend or watch it.
        public var extensions: [UInt32]

        public init(
            id: UInt32, name: String, userID: UInt32 = 0, interfaces: [String] = [], links: [UInt32] = [],
            pins: [String] = [], processes: [ProgramHolder] = [], maps: [UInt32] = [],
            extensions: [UInt32] = []
        ) {
            self.id = id
            self.name = name
            self.userID = userID
            self.interfaces = interfaces
            self.links = links
            self.pins = pins
            self.processes = processes
            self.maps = maps
            self.extensions = extensions
        }

        /// Nothing was found that holds it.
        public var isOrphan: Bool {
            interfaces.isEmpty && links.isEmpty && pins.isEmpty && processes.isEmpty && maps.isEmpty
                && extensions.isEmpty
        }

        /// It runs nowhere, and nobody but a pin holds it.
        public var isOnlyPinned: Bool {
            var other = self
            other.pins = []
            return !pins.isEmpty && other.isOrphan
        }
    }

    /// By id.
    public var programs: [Entry]
    /// Bytes of machine code of all programs in the kernel, of any type.
    public var machineCode: UInt64
    /// Network namespaces that were looked into.
    public var namespaces: Int
    /// What could not be looked at, so that something that holds a program may have been missed.
    public var gaps: [String]

    public init(
        programs: [Entry] = [], machineCode: UInt64 = 0, namespaces: Int = 1, gaps: [String] = []
    ) {
        self.programs = programs
        self.machineCode = machineCode
        self.namespaces = namespaces
        self.gaps = gaps
    }
}

extension LoadedPrograms {
    /// How long an orphan has to be one: programs that were taken off a moment ago go after a grace period.
    private static let pause: UInt32 = 200_000

    /// Looks at them as they are now.
    public static func read() throws(XDPError) -> LoadedPrograms {
        var found = try look()
        guard found.programs.contains(where: \.isOrphan) else { return found }
        usleep(pause)
        found = try look()
        return found
    }

    private static func look() throws(XDPError) -> LoadedPrograms {
        var found = LoadedPrograms()
        do throws(BPFError) {
            var targets: [UInt32: [UInt32]] = [:]
            var types: [UInt32: UInt32] = [:]
            for id in try KernelIDs.programs() {
                guard let program = try? Program(id: id), let information = try? program.information() else {
                    continue
                }
                found.machineCode += UInt64(information.machineCodeSize)
                if information.targetTypesID != 0 {
                    targets[information.targetTypesID, default: []].append(id)
                }
                guard information.isXDP else { continue }
                if information.btfID != 0 { types[id] = information.btfID }
                found.programs.append(
                    Entry(id: id, name: information.name, userID: information.userID))
            }
            for place in found.programs.indices {
                guard let types = types[found.programs[place].id] else { continue }
                found.programs[place].extensions = targets[types] ?? []
            }
            let links = try linksByProgram()
            for place in found.programs.indices {
                found.programs[place].links = links[found.programs[place].id] ?? []
            }
        } catch {
            throw XDPError(error, during: "The programs in the kernel cannot be listed")
        }
        found.addInterfaces()
        found.addHolders()
        found.addMaps()
        return found
    }

    private static func linksByProgram() throws(BPFError) -> [UInt32: [UInt32]] {
        var links: [UInt32: [UInt32]] = [:]
        for id in try KernelIDs.links() {
            guard let link = try? XDPLink.open(id: id), let information = try? link.information() else {
                continue
            }
            links[information.programID, default: []].append(id)
        }
        return links
    }

    private mutating func addInterfaces() {
        guard let search = try? NamespaceSearch() else {
            gaps.append("the network namespaces cannot be listed")
            return
        }
        namespaces = search.found.count
        if search.hiddenProcesses > 0 {
            gaps.append("\(Self.processes(search.hiddenProcesses)) may be in another network namespace")
        }
        for namespace in search.found {
            let interfaces: [Interface]?
            do throws(XDPError) {
                interfaces = try namespace.run { () throws(XDPError) in try Interface.all() }
            } catch {
                gaps.append("network namespace \(namespace.reference) cannot be looked into")
                continue
            }
            let suffix = namespace.isCurrent ? "" : " in network namespace \(namespace.reference)"
            for interface in interfaces ?? [] {
                for attachment in interface.link.attachments {
                    guard let place = programs.firstIndex(where: { $0.id == attachment.programID }) else {
                        continue
                    }
                    programs[place].interfaces.append(interface.name + suffix)
                }
            }
        }
    }

    private mutating func addHolders() {
        let ids = Set(programs.map(\.id))
        let holders = HolderScan(programs: ids)
        let pins = PinScan(programs: ids, in: BPFFileSystem.reachable())
        if holders.hiddenProcesses > 0 {
            gaps.append("\(Self.processes(holders.hiddenProcesses)) cannot be looked into")
        }
        if pins.isCut { gaps.append("there are too many pins to look at all of them") }
        for place in programs.indices {
            let id = programs[place].id
            programs[place].processes = holders.holders(of: id)
            programs[place].pins = pins.pins(of: id).map(\.path)
        }
    }

    private static func processes(_ count: Int) -> String {
        count == 1 ? "1 process" : "\(count) processes"
    }

    /// Only for programs of which it matters, because maps may be large.
    private mutating func addMaps() {
        let wanted = Set(programs.filter { $0.isOrphan || $0.isOnlyPinned }.map(\.id))
        guard !wanted.isEmpty else { return }
        let scan = ElementScan(programs: wanted)
        if scan.isCut { gaps.append("there are too many map elements to look at all of them") }
        for place in programs.indices { programs[place].maps = scan.maps(of: programs[place].id) }
    }
}
