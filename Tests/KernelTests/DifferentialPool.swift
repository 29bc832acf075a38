// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Foundation
import TestSupport

@testable import XDP

/// The objects that random chains are made of: fixtures, and what Debian's packages xdp-tools and libxdp1
/// bring.
enum DifferentialPool {
    /// Left out by name, with the reason.
    private static let excluded: [String: String] = [
        "timer": "its callback counts whenever it likes",
        "ring_buffer": "its events have no keys to compare", "perf_output": "the same",
        "printk": "it fills the machine's trace buffer",
        "tail_self": "it uses up the 33 tail calls that a chain shares",
        "tail_user": "its fall-through count is compared in a test of its own",
        "throw": "it shares no chain", "object_list": "it loads alone only",
        "maps40": "two of them exceed the 64 maps of a program", "maps65": "it does not load",
        "stack504": "it leaves no room for the counters",
        "proprietary": "it spoils the licence for others", "proprietary_gpl_helper": "it does not load",
        "legacy_maps": "it does not open", "no_entries": "it does not load",
        "lpm_preallocated": "it does not load", "kfunc_missing": "it does not load",
        "core_missing": "it does not load", "helper_missing": "it does not load",
        "rx_hash": "it wants a device",
        "devmap_program": "it is no member", "rejected_bounds": "it does not load",
        "rejected_loop": "it does not load", "rejected_unreachable": "it does not load",
        "rejected_uninitialised": "it loads behind others only",
        "core": "it reads the time of a task", "sections": "the same code as pass",
    ]

    /// Program to take, where an object has several.
    private static let programs: [String: String] = [
        "several": "several_second", "mixed": "mixed_xdp", "verdicts": "from_stack",
        "verdict_words": "by_sign",
        "verdict_map": "plain_policy", "redirects": "else_drop", "uses": "reads_queue",
    ]

    /// Paths and programs, in a fixed order.
    static func requests() throws -> [LoadRequest] {
        var fixtures = try Fixtures.all().subtracting(excluded.keys).sorted().filter { name in
            try KernelNeed.missing(for: name) == nil
        }
        if try KernelNeed.testRunsWithMetadata.isMissing() {
            // One by one, what one left there would not reach the next.
            fixtures.removeAll { $0.hasPrefix("meta_") }
        }
        var requests = try fixtures.map { name in
            var request = LoadRequest(path: try Fixture.path(name))
            request.program = programs[name]
            return request
        }
        let packaged = try packagedObjects()
        requests += packaged.map { LoadRequest(path: $0) }
        // Whatever is pinned on this machine under the names of their maps is not theirs.
        return requests.map { request in
            var request = request
            request.pinDirectory = "/sys/fs/bpf/nobody-pins-here"
            return request
        }
    }

    /// xdp-dispatcher.o holds the slots of libxdp's own chain, and xdpdump's are for tracing.
    static func packagedObjects() throws -> [String] {
        let folder = PackagedObjects.folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let found = names.filter { name in
            name.hasSuffix(".o") && (name.hasPrefix("xdpfilt_") || name.hasPrefix("xsk_def_xdp_prog"))
        }.sorted()
        guard found.contains("xdpfilt_alw_all.o"), found.contains("xsk_def_xdp_prog.o") else {
            throw MissingPackage()
        }
        return found.map { "\(folder)/\($0)" }
    }

    struct MissingPackage: Error, CustomStringConvertible {
        let description = "no objects of xdp-tools: install the packages xdp-tools and libxdp1"
    }
}

/// A member loaded for itself, without the linker: what a chain is compared with.
final class SoloProgram {
    let loaded: Program.Loaded
    let maps: [MapHandle]

    init(_ built: MemberBuilder.Built) throws(BPFError) {
        maps = built.maps
        let unit = built.member.unit
        var instructions = unit.instructions
        for place in instructions.indices {
            let kind: WideKind
            switch instructions[place].wideKind {
            case .mapIndex?: kind = .mapDescriptor
            case .mapIndexValue?: kind = .mapValue
            default: continue
            }
            let map = built.maps[Int(instructions[place].immediate)]
            instructions[place].immediate = map.map.descriptor.rawValue
            instructions[place].source = Register(rawValue: kind.marker)
        }
        var image = ProgramImage(name: "solo", instructions: instructions, license: unit.license)
        image.functions = unit.functions
        image.lines = unit.lines
        loaded = try Program.load(image)
    }
}
