// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import Testing
import XDP

/// What a replacement keeps of what was set when the member was loaded. Needs root.
@Suite("Settings of members over replacements, on the kernel")
struct ReplaceSettingsTests {
    private func replace(
        _ bench: ChainBench, _ change: (inout LoadRequest) -> Void = { _ in }
    ) throws -> ChangeReport {
        var request = LoadRequest(path: try Fixture.path("variables"))
        request.keepsSettings = true
        change(&request)
        let sent = request
        return try bench.edit { editor throws(XDPError) in try editor.replace("it", with: sent) }
    }

    @Test("what was set stays set, constants too; what is said anew takes effect")
    func variables() throws {
        let bench = try ChainBench()
        try bench.load("variables", as: "it") { $0.variables = ["changing": "7", "unsigned32": "9"] }
        let constants = try bench.chain().map(".rodata", of: "it").id

        _ = try replace(bench)
        var chain = try bench.chain()
        #expect(try chain.map(".data", of: "it").number() == 7)
        #expect(try chain.map(".rodata", of: "it").id != constants)
        #expect(try chain.member("it").settings.variables == ["changing": "7", "unsigned32": "9"])

        let report = try replace(bench) { $0.variables = ["changing": "8"] }
        chain = try bench.chain()
        #expect(try chain.map(".data", of: "it").number() == 8)
        #expect(try chain.member("it").settings.variables == ["changing": "8", "unsigned32": "9"])
        #expect(report.notes.contains(".data: new, a variable in it was set"), "\(report.notes)")
    }

    @Test("constants that are pinned are not taken for the new object's")
    func pinnedConstants() throws {
        let bench = try ChainBench()
        let directory = PinDirectory()
        try bench.load("variables", as: "it") { $0.pinDirectory = directory.path }
        let before = try bench.chain().map(".rodata", of: "it").id

        _ = try replace(bench) { $0.variables = ["unsigned32": "5"] }

        let after = try bench.chain().map(".rodata", of: "it").id
        #expect(after != before)
    }
}
