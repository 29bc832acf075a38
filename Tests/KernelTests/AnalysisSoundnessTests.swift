// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Packets
import TestSupport
import Testing

@testable import XDP

/// Programs on the real kernel, with thousands of packets: no verdict is seen that the analysis did not list. Needs
/// root, and the packages xdp-tools and libxdp1.
@Suite("Analysis against the kernel")
struct AnalysisSoundnessTests {
    /// Left out by name, with the reason.
    private static let excluded: [String: String] = [
        "legacy_maps": "it does not open", "no_entries": "it does not load",
        "lpm_preallocated": "it does not load",
        "helper_missing": "it does not load",
        "kfunc_missing": "it does not load", "core_missing": "it does not load", "maps65": "it does not load",
        "proprietary_gpl_helper": "it does not load", "rejected_bounds": "it does not load",
        "rejected_loop": "it does not load", "rejected_unreachable": "it does not load",
        "rejected_uninitialised": "it does not load", "rx_hash": "it wants a device",
        "devmap_program": "it is for maps, not interfaces",
        "object_list": "it needs its own type information",
        "frags_tail": "its program array takes programs for packets of several buffers",
        "printk": "it fills the machine's trace buffer",
    ]

    /// Every XDP program of every fixture and of the packages.
    static func programs() throws -> [(path: String, program: String)] {
        let names = try Fixtures.all().subtracting(excluded.keys).sorted().filter { name in
            try KernelNeed.missing(for: name) == nil
        }
        let fixtures = try names.flatMap { name in
            let path = try Fixture.path(name)
            return try ObjectFile(bytes: ObjectBytes.read(path), name: path).programs.filter(\.isXDP).map {
                (path, $0.name)
            }
        }
        return try fixtures + AnalysedProgram.packaged()
    }

    @Test("every verdict of every program is in its set")
    func programsAndPackets() throws {
        let programs = try Self.programs()
        let withMetadata = try !KernelNeed.testRunsWithMetadata.isMissing()
        var random = SeededGenerator(seed: 44)
        var seen = 0
        for (path, program) in programs {
            let analysed = try AnalysedProgram(path: path, program: program)
            #expect(analysed.analysis.assumption == nil, "\(program)")
            // What is tail-called has verdicts of its own.
            var allowed = analysed.analysis.verdictSet
            if !analysed.analysis.tailCalls.isEmpty {
                for other in programs where other.path == path {
                    allowed.formUnion(
                        try AnalysedProgram(path: path, program: other.program).analysis.verdictSet)
                }
            }
            let solo = try SoloProgram(analysed.built)
            let packets = PacketGenerator(seed: random.next()).prefix(
                path.hasPrefix("/usr/") ? 5 * Amount.packets : Amount.packets
            ).map(\.bytes)
            for (number, packet) in packets.enumerated() {
                if number % 200 == 0 {
                    DifferentialMaps.fill(
                        analysed.built.maps, analysed.built.maps, analysed.code.maps, packets: packets,
                        using: &random)
                }
                let verdict = try solo.loaded.program.testRun(packet, metadata: withMetadata ? [] : nil)
                    .verdict
                check(verdict, analysed.analysis, allowed, program)
                seen += 1
            }
        }
        #expect(seen > 155 * Amount.packets)
    }

    private func check(
        _ code: UInt32, _ analysis: ProgramAnalysis, _ allowed: Set<Verdict>, _ label: String
    ) {
        guard let verdict = Verdict(rawValue: code) else {
            #expect(!analysis.otherCodes.isEmpty, "\(label) returned \(code)")
            return
        }
        // An unknown number can be 4 where nothing redirects: that is said, and the packet is dropped.
        let isRemoved = verdict == .redirect && !analysis.undecided.isEmpty && analysis.redirects.isEmpty
        #expect(allowed.contains(verdict) || isRemoved, "\(label) returned \(verdict), not of \(allowed)")
    }

    @Test("every verdict of random programs is in their sets", arguments: Amount.seeds)
    func randomPrograms(group: UInt64) throws {
        let isModern = try KernelNeed.missing(for: "modern") == nil
        var random = SeededGenerator(seed: group)
        for number in 0..<25 {
            let seed = (group + 1000) << 32 | UInt64(number)
            let instructions = RandomProgram.make(seed: seed, isModern: isModern)
            let analysis = ProgramAnalysis(of: ProgramCode(name: "random", instructions: instructions))
            let image = ProgramImage(name: "random", instructions: instructions, license: "GPL")
            let loaded = try Program.load(image)
            for round in 0..<40 {
                let mask: UInt8 = round % 3 == 0 ? 0x0f : 0xff
                let packet = (0..<RandomProgram.packetLength).map { _ in
                    UInt8(truncatingIfNeeded: random.next()) & mask
                }
                let verdict = try loaded.program.testRun(packet).verdict
                check(verdict, analysis, analysis.verdictSet, "seed \(seed)")
            }
        }
    }
}
