// SPDX-License-Identifier: Apache-2.0
import BPF

/// Finds out whether a program is a dispatcher, and what is in it.
struct DispatcherReader {
    private let program: ProgramInformation
    private let types: ProgramTypes?
    private let fileSystems: [BPFFileSystem]

    init(_ program: ProgramInformation, types: ProgramTypes?, fileSystems: [BPFFileSystem]) {
        self.program = program
        self.types = types
        self.fileSystems = fileSystems
    }

    /// Reads the dispatcher; nil if the program is none.
    ///
    /// A name proves nothing. A configuration with its magic number proves enough together with the version in
    /// the types, or with the function's name where there are no types; one without magic needs the types.
    func read(_ opened: borrowing Program, functionName: String) throws(BPFError) -> Dispatcher? {
        let declared = types?.number("dispatcher_version", inSection: "xdp_metadata")
        guard declared != nil || functionName == "xdp_dispatcher",
            let configuration = try configuration(of: opened, declaredVersion: declared)
        else { return nil }
        // bpfman's is made after libxdp's, and calls the structure by another name.
        let structure = types?.structureName(ofVariable: "conf", inSection: ".rodata")
        return Dispatcher(
            kind: structure == "xdp_dispatcher_conf" ? .bpfman : .libxdp, version: configuration.version,
            supportsFrags: configuration.supportsFrags, components: try components(configuration.slots),
            isKnown: configuration.slots != nil)
    }

    /// The first map that holds a configuration: an array of one element that programs may only read.
    private func configuration(
        of opened: borrowing Program, declaredVersion: UInt32?
    ) throws(BPFError) -> DispatcherConfiguration? {
        // linux/bpf.h: BPF_F_RDONLY_PROG, Linux 5.2.
        let readOnly: UInt32 = 1 << 7
        for id in try opened.mapIDs() {
            guard let map = try? BPFMap(id: id) else { continue }
            let definition = try map.information().definition
            guard definition.type == .array, definition.keySize == 4, definition.maximumEntries == 1,
                definition.flags & readOnly != 0,
                DispatcherConfiguration.plausibleSizes.contains(Int(definition.valueSize)),
                let bytes = try? map.lookup([0, 0, 0, 0], valueSize: Int(definition.valueSize)),
                let found = DispatcherConfiguration(bytes, declaredVersion: declaredVersion)
            else { continue }
            return found
        }
        return nil
    }

    private func components(
        _ slots: [DispatcherConfiguration.Slot]?
    ) throws(BPFError) -> [Dispatcher.Component] {
        var programs = try programsByLink()
        for (place, program) in pinnedPrograms() where programs[place] == nil { programs[place] = program }
        let places = slots.map { Array($0.indices) } ?? programs.keys.sorted()
        return places.map { place in
            Dispatcher.Component(position: place, program: programs[place], slot: slots?[place])
        }
    }

    /// What the kernel says is in the places. Linux 5.13.
    private func programsByLink() throws(BPFError) -> [Int: Dispatcher.Component.Program] {
        var found: [Int: Dispatcher.Component.Program] = [:]
        for link in try ExtensionLink.all() where link.targetID == program.id {
            guard let place = types?.functionName(link.targetFunction).flatMap(Self.place),
                let component = Self.component(link.programID, linkID: link.id)
            else { continue }
            found[place] = component
        }
        return found
    }

    /// What libxdp and its protocol pinned, for kernels that do not tell: `xdp/dispatch-INTERFACE-ID/progN-prog`,
    /// with the id of the dispatcher.
    private func pinnedPrograms() -> [Int: Dispatcher.Component.Program] {
        var found: [Int: Dispatcher.Component.Program] = [:]
        for root in fileSystems.map({ $0.root + "/xdp" }) {
            for directory in BPFFileSystem.entries(of: root) where isOurs(directory) {
                for place in 0..<DispatcherConfiguration.maximumPrograms {
                    let path = "\(root)/\(directory)/prog\(place)"
                    guard case .program(let id)? = PinnedObject(at: path + "-prog") else { continue }
                    var linkID: UInt32?
                    if case .link(let link, id)? = PinnedObject(at: path + "-link") { linkID = link }
                    found[place] = Self.component(id, linkID: linkID)
                }
            }
        }
        return found
    }

    private func isOurs(_ directory: String) -> Bool {
        directory.hasPrefix("dispatch-") && directory.hasSuffix("-\(program.id)")
    }

    /// The place of a function: `prog3` is 3. A single program may be put in the place of the whole dispatcher.
    static func place(_ function: String) -> Int? {
        if function == "xdp_dispatcher" { return 0 }
        guard function.hasPrefix("prog"), let place = Int(function.dropFirst(4)),
            (0..<DispatcherConfiguration.maximumPrograms).contains(place)
        else { return nil }
        return place
    }

    private static func component(_ id: UInt32, linkID: UInt32?) -> Dispatcher.Component.Program? {
        guard let program = try? BPF.Program(id: id), let information = try? program.information(),
            information.isExtension
        else { return nil }
        return Dispatcher.Component.Program(
            id: id,
            name: FunctionName.whole(
                information.name, of: program, types: ProgramTypes(id: information.btfID)),
            tag: information.tag, linkID: linkID)
    }
}
