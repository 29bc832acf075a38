// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

@testable import BPF

/// An object that libbpf alone loaded, as other loaders do.
final class LoadedObject {
    private let object: OpaquePointer

    /// The XDP programs by name.
    private(set) var programs: [(name: String, program: OpaquePointer)] = []

    /// Nil where it cannot be loaded.
    init?(_ path: String) {
        let loaded: OpaquePointer? = LibbpfLog.collecting {
            guard let object = bpf_object__open_file(path, nil) else { return nil }
            var map = bpf_object__next_map(object, nil)
            while let current = map {
                bpf_map__set_pin_path(current, nil)
                map = bpf_object__next_map(object, current)
            }
            guard bpf_object__load(object) == 0 else {
                bpf_object__close(object)
                return nil
            }
            return object
        }.result
        guard let loaded else { return nil }
        object = loaded
        var program = bpf_object__next_program(object, nil)
        while let current = program {
            if bpf_program__type(current) == BPF_PROG_TYPE_XDP {
                programs.append((String(cString: bpf_program__name(current)), current))
            }
            program = bpf_object__next_program(object, current)
        }
    }

    deinit { bpf_object__close(object) }

    /// A program of it, held by a descriptor of its own.
    func program(_ name: String) throws -> Program {
        let found = programs.first { $0.name == name }
        let number = found.map { bpf_program__fd($0.program) } ?? -1
        return Program(owning: try Descriptor.copy(of: number))
    }
}
