// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import SystemPackage

/// An ELF object with XDP programs, opened by libbpf and not yet in the kernel.
///
/// The object is changed (variables, maps to reuse, sizes) and then prepared: libbpf creates the maps and
/// relocates the chosen program, whose instructions come out without having been verified.
public struct ObjectFile: ~Copyable {
    /// One program of the object.
    public struct ObjectProgram: Sendable, Hashable {
        /// The function's name.
        public let name: String
        /// The ELF section it stands in.
        public let section: String
        /// Whether libbpf or an old section name takes it for an XDP program.
        public let isXDP: Bool
    }

    /// One map that the object declares.
    public struct ObjectMap: Sendable, Hashable {
        /// The name in the source, or the section of global variables (".rodata", ".bss").
        public let name: String
        public let definition: MapDefinition
        /// Where the object asks the map to be pinned (LIBBPF_PIN_BY_NAME).
        public let pinPath: String?
        /// Whether it holds global variables.
        public let isInternal: Bool
        /// A text that is equal for maps of equal layout: sizes, flags and the structure of the values.
        public let signature: String
    }

    /// The name in messages: the path as the user gave it.
    public let name: String
    public let programs: [ObjectProgram]
    public private(set) var maps: [ObjectMap] = []
    /// The programs that the object's program arrays are initialised with.
    public let tailCallees: Set<String>
    /// The licence, as the kernel compares it ("GPL").
    public let license: String

    let object: OpaquePointer
    private let image: ELFImage
    // libbpf may refer to the bytes as long as the object is open.
    private let bytes: [UInt8]

    /// Opens an object from its bytes.
    ///
    /// - Parameter name: what messages call the object.
    public init(bytes: [UInt8], name: String) throws(BPFError) {
        let image: ELFImage
        do throws(BPFError) {
            image = try ELFImage(bytes)
            try BTFCheck.check(image)
        } catch {
            throw ObjectFailure.named(error, name)
        }
        if image.hasLegacyMaps { throw ObjectFailure.legacyMaps(name) }
        var opened: OpaquePointer?
        var failure: Int32 = 0
        let stem = ObjectFile.stem(of: name)
        let outcome = LibbpfLog.collecting {
            PrepareHook.opening {
                var options = bpf_object_open_opts()
                options.sz = MemoryLayout<bpf_object_open_opts>.size
                stem.withCString { text in
                    options.object_name = text
                    bytes.withUnsafeBufferPointer { buffer in
                        opened = bpf_object__open_mem(buffer.baseAddress, buffer.count, &options)
                        failure = opened == nil ? errno : 0
                        if let pointer = opened, ObjectFile.isError(pointer) {
                            opened = nil
                            failure = EINVAL
                        }
                    }
                }
            }
        }
        guard outcome.result != nil else {
            throw BPFError(
                "register with libbpf", kernelMessage: outcome.warnings.first,
                remedy: "libbpf 1.0 or newer is needed")
        }
        guard let opened else {
            throw ObjectFailure.explain(
                "open the object", name, errno: Errno(rawValue: failure), warnings: outcome.warnings)
        }
        object = opened
        self.image = image
        self.bytes = bytes
        self.name = name
        tailCallees = image.initialTailCallees
        programs = ObjectFile.listPrograms(opened)
        license = ObjectFile.license(image)
        maps = listMaps()
    }

    deinit { bpf_object__close(object) }

    /// Everything that is done with the bytes of an object before libbpf gets them: for fuzzing.
    package static func checkOutline(of bytes: [UInt8]) throws(BPFError) {
        let image = try ELFImage(bytes)
        try BTFCheck.check(image)
        _ = (image.hasLegacyMaps, image.initialTailCallees, image.contents(of: "license"))
        _ = image.refers(to: "bpf_throw", fromSection: "xdp")
    }

    /// libbpf 1.1 returns a size from damaged type information as an error number; as a pointer it lies in
    /// the kernel's half of the address space.
    private static func isError(_ pointer: OpaquePointer) -> Bool {
        Int(bitPattern: pointer) < 0
    }

    /// "ids" for "/opt/ids.bpf.o": what a member is called unless its name is given.
    public static func stem(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.split(separator: ".").first.map(String.init) ?? file
    }

    private static func license(_ image: ELFImage) -> String {
        guard let range = image.contents(of: "license") else { return "" }
        return String(decoding: image.reader.bytes[range].prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func listPrograms(_ object: OpaquePointer) -> [ObjectProgram] {
        var found: [ObjectProgram] = []
        var program = bpf_object__next_program(object, nil)
        while let current = program {
            found.append(
                ObjectProgram(
                    name: String(cString: bpf_program__name(current)),
                    section: String(cString: bpf_program__section_name(current)),
                    isXDP: bpf_program__type(current) == BPF_PROG_TYPE_XDP))
            program = bpf_object__next_program(object, current)
        }
        return found
    }

    /// The BTF of the object; nil where it has none.
    borrowing func btf() -> BTFView? {
        bpf_object__btf(object).map { BTFView(btf: $0) }
    }

    /// Where the program wants to stand and after which verdicts the chain goes on; nil if it says nothing.
    public borrowing func runConfiguration(of program: String) -> RunConfiguration? {
        guard let btf = btf() else { return nil }
        return RunConfiguration(of: program, in: btf)
    }

    /// Whether a program, or a function that it may call, refers to a symbol: a kernel function, say.
    public borrowing func calls(_ symbol: String, from program: String) -> Bool {
        guard let section = programs.first(where: { $0.name == program })?.section else { return false }
        return image.refers(to: symbol, fromSection: section)
    }

    /// libbpf's map objects in the order of `maps`.
    borrowing func mapPointers() -> [OpaquePointer] {
        var found: [OpaquePointer] = []
        var map = bpf_object__next_map(object, nil)
        while let current = map {
            found.append(current)
            map = bpf_object__next_map(object, current)
        }
        return found
    }

    /// libbpf's program object of a name.
    borrowing func programPointer(_ name: String) -> OpaquePointer? {
        bpf_object__find_program_by_name(object, name)
    }

    /// Reads the list of maps again after a setting changed one.
    mutating func refreshMaps() { maps = listMaps() }

    private borrowing func listMaps() -> [ObjectMap] {
        let view = btf()
        let sections = view?.dataSections ?? []
        return mapPointers().map { map in
            let rawName = String(cString: bpf_map__name(map))
            let isInternal = bpf_map__is_internal(map)
            // libbpf names the maps of global variables "object.section"; the section is what a user knows.
            let section = isInternal ? rawName.firstIndex(of: ".").map { String(rawName[$0...]) } : nil
            let definition = MapDefinition(
                name: section ?? rawName, type: MapType(rawValue: bpf_map__type(map).rawValue),
                keySize: bpf_map__key_size(map), valueSize: bpf_map__value_size(map),
                maximumEntries: bpf_map__max_entries(map), flags: bpf_map__map_flags(map))
            var layout = ""
            if let view {
                if let section, let id = sections.first(where: { view.name($0) == section }) {
                    layout = view.signature(of: id)
                } else if !isInternal {
                    layout =
                        view.signature(of: bpf_map__btf_key_type_id(map)) + "→"
                        + view.signature(of: bpf_map__btf_value_type_id(map))
                }
            }
            let pin = bpf_map__pin_path(map).map { String(cString: $0) }
            return ObjectMap(
                name: section ?? rawName, definition: definition, pinPath: pin, isInternal: isInternal,
                signature: layout)
        }
    }
}
