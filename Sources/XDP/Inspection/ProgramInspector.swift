// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Looks into objects and loaded programs. Nothing is attached, and what is made meanwhile is gone at the end.
public enum ProgramInspector {
    /// All XDP programs of an object, or the one that is named.
    ///
    /// libbpf makes the object's maps for as long as it takes, tables as small as they can be, and relocates the
    /// programs; so it needs CAP_BPF, and CAP_NET_ADMIN. A program that others of the object tail-call is loaded
    /// meanwhile.
    public static func inspect(object path: String, program: String? = nil) throws(XDPError)
        -> [ProgramInspection]
    {
        try inspect(bytes: try ObjectBytes.read(path), path: path, program: program)
    }

    /// Of an object that was read already.
    package static func inspect(
        bytes: [UInt8], path: String, program: String? = nil
    ) throws(XDPError) -> [ProgramInspection] {
        do throws(BPFError) {
            let object = try ObjectFile(bytes: bytes, name: path)
            let programs = object.programs.filter(\.isXDP)
            let wanted = program.map { name in programs.filter { $0.name == name } } ?? programs
            guard !wanted.isEmpty else { throw missing(program, of: object) }
            var found: [ProgramInspection] = []
            for description in wanted { found.append(try inspect(description, of: bytes, path)) }
            return found
        } catch {
            throw XDPError(error, during: "\(path) cannot be inspected")
        }
    }

    private static func missing(_ program: String?, of object: borrowing ObjectFile) -> BPFError {
        let names = object.programs.filter(\.isXDP).map { "\($0.name) (\($0.section))" }
        guard let program else {
            return BPFError(
                "find an XDP program", on: object.name, kernelMessage: "the object has none",
                remedy: object.programs.isEmpty
                    ? nil : "Its programs are for \(object.programs.map(\.section).joined(separator: ", "))")
        }
        return BPFError(
            "find program \(program)", on: object.name, kernelMessage: "the object has no such XDP program",
            remedy: names.isEmpty ? "It has no XDP programs" : "It has \(names.joined(separator: ", "))")
    }

    private static func inspect(
        _ description: ObjectFile.ObjectProgram, of bytes: [UInt8], _ path: String
    ) throws(BPFError) -> ProgramInspection {
        var object = try ObjectFile(bytes: bytes, name: path)
        let declared = object.maps
        var notes: [String] = []
        for map in declared where map.definition.maximumEntries == 0 && map.definition.type.smallestSize == 1
        {
            notes.append("The map \(map.name) has no size of its own: its loader gives it one")
        }
        // What is asked for is its shape, which does not depend on its size.
        for map in declared where !map.isInternal {
            guard let size = map.definition.type.smallestSize else { continue }
            try object.setMaximumEntries(of: map.name, to: size)
        }
        object.ignorePins()
        let configuration = object.runConfiguration(of: description.name)
        let mayThrow = object.calls("bpf_throw", from: description.name)
        let prepared = try object.prepare(
            program: description.name, calleesHaveFrags: description.section.hasPrefix("xdp.frags"))
        let maps = declared.map {
            UnitMap(name: $0.name, definition: $0.definition, isInternal: $0.isInternal)
        }
        if !prepared.program.hasBTF {
            notes.append("The kernel does not take the object's type information: there are no source lines")
        }
        let unit = Unit(prepared.program, maps: maps, mayThrow: mayThrow)
        let code = ProgramCode(unit, mapIDs: prepared.maps.map(\.id))
        let analysis = ProgramAnalysis(of: code)
        return ProgramInspection(
            origin: .object(path: path, section: description.section), code: code, analysis: analysis,
            license: prepared.program.license, runConfiguration: configuration,
            kernelNeeds: needs(of: code, analysis), interfaceNeeds: InterfaceNeed.all(of: code, analysis),
            tailCallees: [], hidden: nil, notes: notes)
    }

    /// A program that is loaded. Needs CAP_SYS_ADMIN, and CAP_SYSLOG to see what it calls.
    public static func inspect(programID id: UInt32) throws(XDPError) -> ProgramInspection {
        let what = "Program \(id) cannot be inspected"
        let found: ProgramInspection?
        do throws(BPFError) {
            found = try inspect(try Program(id: id))
        } catch {
            throw XDPError(error, during: what)
        }
        if let found { return found }
        throw XDPError(
            .failed, what, because: "it is no XDP program",
            remedy: "`xdpctl status` and `bpftool prog` name those that are")
    }

    /// Nil for a program of another kind.
    private static func inspect(_ program: borrowing Program) throws(BPFError) -> ProgramInspection? {
        let information = try program.information()
        // BPF_PROG_TYPE_XDP, and what takes the place of a function of one.
        guard information.type == 6 || information.isExtension else { return nil }
        let loaded = try LoadedCode(program)
        let code = loaded.code
        let analysis = ProgramAnalysis(of: code)
        return ProgramInspection(
            origin: .loaded(information), code: code, analysis: analysis, license: nil,
            runConfiguration: ProgramTypes(id: information.btfID)?.runConfiguration(of: code.name),
            kernelNeeds: needs(of: code, analysis), interfaceNeeds: InterfaceNeed.all(of: code, analysis),
            tailCallees: tailCallees(of: analysis, code), hidden: loaded.hidden, notes: [])
    }

    /// Helpers and kernel functions that can be reached, all maps, and for code that no kernel translated yet the
    /// instructions.
    private static func needs(of code: ProgramCode, _ analysis: ProgramAnalysis) -> [KernelRequirement] {
        var needs: [KernelRequirement] = []
        if !code.isTranslated {
            needs += KernelRequirement.all(of: code.instructions).filter {
                if case .feature = $0.subject { true } else { false }
            }
        }
        if code.supportsFrags == true { needs.append(KernelRequirement(.feature(.frags))) }
        needs += analysis.helpers.map {
            KernelRequirement(.helper($0.id), at: $0.places.map(\.instruction))
        }
        needs += analysis.kernelFunctions.map {
            KernelRequirement(
                .kernelFunction($0.name, module: $0.module), at: $0.places.map(\.instruction))
        }
        var types: [MapType] = []
        for map in code.maps where !types.contains(map.definition.type) { types.append(map.definition.type) }
        return needs + types.map { KernelRequirement(.mapType($0)) }
    }

    private static func tailCallees(
        of analysis: ProgramAnalysis, _ code: ProgramCode
    ) -> [ProgramInspection.TailCallee] {
        TailCallReach.entries(of: analysis, mapIDs: code.mapIDs).found.map { entry in
            let reach = TailCallReach(from: [entry.programID])
            return ProgramInspection.TailCallee(
                map: entry.map, entry: entry.key, programID: entry.programID,
                name: reach.programs.first?.code.name ?? "", verdicts: reach.verdicts)
        }
    }
}

extension MapType {
    /// The fewest entries of a map whose content the object does not give; nil for other maps.
    fileprivate var smallestSize: UInt32? {
        switch rawValue {
        // Tables of values, of devices, CPUs and sockets, queues and filters.
        case 1, 2, 5, 6, 9, 10, 11, 14, 15, 16, 17, 18, 22, 23, 25, 30: 1
        // Ring buffers: bytes, whole pages.
        case 27, 31: 1 << 16
        default: nil
        }
    }
}
