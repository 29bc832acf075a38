// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// Damaged objects all the way to relocated instructions, in a helper process. Needs root.
@Suite("Damaged objects on the kernel")
struct LinkDamageTests {
    @Test(
        "no mutant crashes or hangs while it is prepared",
        arguments: ["counters", "tail_static", "map_in_map", "subprograms", "core", "verdict"])
    func mutants(object: String) throws {
        let run = try ProbeRun("prepare", try Fixture.path(object), seed: 2, count: 150)

        #expect(run.deaths.isEmpty, "mutants of \(object) and their signals: \(run.deaths)")
        #expect(run.opened > 10)
    }

    @Test(
        "no mutant crashes or hangs while it is inspected",
        arguments: ["counters", "devmap", "tail_static", "subprograms"])
    func inspectedMutants(object: String) throws {
        let run = try ProbeRun("inspect", try Fixture.path(object), seed: 3, count: 80)

        #expect(run.deaths.isEmpty, "mutants of \(object) and their signals: \(run.deaths)")
        #expect(run.opened > 5)
    }
}
