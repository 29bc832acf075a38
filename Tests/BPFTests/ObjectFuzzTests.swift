// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport
import Testing

/// Damaged objects, opened in a helper process: a crash of libbpf is a failure that names the mutant.
@Suite("Damaged objects")
struct ObjectFuzzTests {
    static let objects = [
        "pass", "verdict", "counters", "tail_static", "several", "run_config", "map_in_map", "core", "timer",
        "subprograms",
    ]

    @Test("no mutant that the checks let through crashes libbpf or hangs it", arguments: objects)
    func mutants(object: String) throws {
        let run = try ProbeRun("open", try Fixture.path(object), seed: 1, count: 500)

        #expect(run.deaths.isEmpty, "mutants of \(object) and their signals: \(run.deaths)")
        // Were none opened, nothing behind the checks would have been tried.
        #expect(run.opened > 50)
    }

    @Test("mutants that once crashed are refused", arguments: [("kconfig", 77, 4920), ("kconfig", 77, 9270)])
    func known(object: String, seed: UInt64, number: Int) throws {
        let run = try ProbeRun("open", try Fixture.path(object), seed: seed, first: number, count: 1)

        #expect(run.deaths.isEmpty)
        #expect(run.opened == 0)
    }

    @Test("an object cut short anywhere is refused, and the message says so", arguments: ["pass", "several"])
    func truncated(object: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: try Fixture.path(object))))

        // The table of sections is at the end, so that no prefix of the file is whole.
        for length in stride(from: 0, to: bytes.count, by: 61) {
            let error = #expect(throws: BPFError.self) {
                _ = try ObjectFile(bytes: Array(bytes.prefix(length)), name: "cut.o")
            }
            #expect(error?.kernelMessage?.isEmpty == false)
            #expect(error?.subject == "cut.o")
        }
    }
}
