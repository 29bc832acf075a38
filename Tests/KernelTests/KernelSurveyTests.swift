// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import BPF
@testable import XDP

/// What the survey says of this kernel, against what the kernel does and what others say. Needs root and bpftool.
@Suite("The survey of the kernel")
struct KernelSurveyTests {
    static let survey = KernelSurvey()

    /// What bpftool finds out.
    private struct Probes: Decodable {
        let helpers: [String: [String]]
        let mapTypes: [String: Bool]
    }

    private static func bpftool() throws -> Probes {
        let result = try Subprocess("bpftool", ["-j", "feature", "probe", "kernel", "full"]).wait(
            seconds: 300)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Probes.self, from: Data(result.output.utf8))
    }

    @Test("helpers and map types are those that bpftool finds")
    func agreesWithBpftool() throws {
        let probes = try Self.bpftool()
        let theirs = Set(probes.helpers["xdp_available_helpers"] ?? [])
        let known = Set(probes.helpers.values.joined())
        let ours = Set(Self.survey.helpers.filter { $0.support == .supported }.map(\.helper.name))

        // libbpf before 1.4 does not know the words in which newer kernels refuse, and takes every helper for one
        // that is there.
        let isBlind = theirs.isSuperset(of: HelperTable.all.prefix(209).map(\.name))
        if isBlind {
            #expect(theirs.isSuperset(of: ours.intersection(known)))
        } else {
            #expect(theirs == ours.intersection(known))
        }
        #expect(ours.count > 40)
        for row in Self.survey.mapTypes {
            guard let theirs = probes.mapTypes["have_\(row.name)_map_type"] else { continue }
            #expect(row.support == (theirs ? .supported : .unsupported), "\(row)")
        }
    }

    /// Fixtures and what they cannot do without, beside what every supported kernel has.
    static let fixtures: [(String, @Sendable () -> Support)] = [
        ("for_each", { KernelSurvey.support(forHelper: 164) }),
        ("timer", { KernelSurvey.support(forHelper: 169) }),
        ("loop", { KernelSurvey.support(forHelper: 181) }),
        ("frags", { KernelSurvey.support(for: .frags) }),
        ("iterator", { KernelSurvey.support(forKernelFunction: "bpf_iter_num_new") }),
        ("throw", { KernelSurvey.support(forKernelFunction: "bpf_throw") }),
        ("modern", { KernelSurvey.support(for: .instructionsV4) }),
        ("may_goto", { KernelSurvey.support(for: .mayGoto) }),
        ("pass", { KernelSurvey.support(for: .instructionsV3) }),
        ("ring_buffer", { KernelSurvey.support(forMapType: .ringBuffer) }),
        ("tail_static", { KernelSurvey.support(forHelper: 12) }),
    ]

    @Test(
        "a fixture loads where, and only where, the survey says that what it needs is there",
        arguments: fixtures)
    func fixture(name: String, support: @Sendable () -> Support) throws {
        let loads = KernelNeed.loads(try Fixture.path(name))
        #expect(support() == (loads ? .supported : .unsupported))
    }

    @Test("what is there has been there since the release that is given")
    func releases() throws {
        let running = KernelVersion.running
        for answer in Self.survey.features where answer.feature.group == .instructions {
            // Debian's 6.1 got this one later, without the rest of -mcpu=v4; that it does its work is another test.
            if answer.feature == .longJumps, answer.support == .supported { continue }
            let expected = KernelVersion(answer.feature.since) <= running
            #expect(answer.support == (expected ? .supported : .unsupported), "\(answer)")
        }
        for answer in Self.survey.helpers where answer.exists == false {
            #expect(KernelVersion(answer.helper.since) > running, "\(answer)")
        }
        for answer in Self.survey.helpers where KernelVersion(answer.helper.since) <= running {
            #expect(answer.exists == true, "\(answer)")
        }
        for answer in Self.survey.mapTypes {
            let expected = KernelVersion(answer.since) <= running
            #expect(answer.support == (expected ? .supported : .unsupported), "\(answer)")
        }
    }

    @Test("long jumps that are said to be there lead where they shall")
    func longJumps() throws {
        guard KernelSurvey.support(for: .longJumps) == .supported else {
            try Test.skip("this kernel has no gotol")
        }
        let image = ProgramImage(
            name: "jump",
            instructions: [
                .move(.r0, 1), .jump(.equal, .r1, 0, 1), .longJump(1), .move(.r0, 3), .exit,
            ], license: "GPL")
        let program = try Program.load(image).take()

        #expect(try program.testRun([UInt8](repeating: 0, count: 60)).verdict == 1)
    }

    @Test("what the tests need anyway is said to be there")
    func basics() {
        for feature in [
            KernelFeature.machineCode, .typeInformation, .boundMaps, .link, .batches, .testRuns, .sockets,
            .tailCallsInFunctions, .rawTracepoints, .trafficControl,
        ] {
            #expect(KernelSurvey.support(for: feature) == .supported, "\(feature)")
        }
        #expect((KernelSurvey.support(for: .extensions) == .supported) == ExtensionSupport.isThere)
        for feature in [KernelFeature.netdevFamily, .liveFrames, .frags, .deviceBound, .tokens] {
            let expected = KernelVersion.running >= KernelVersion(feature.since)
            #expect((KernelSurvey.support(for: feature) == .supported) == expected, "\(feature)")
        }
    }

    /// Fixtures that this kernel may lack something for, and words of the remedy then.
    static let lacking = [
        ("for_each", "bpf_for_each_map_elem (Linux 5.13)"), ("timer", "bpf_timer_init (Linux 5.15)"),
        ("loop", "bpf_loop (Linux 5.17)"), ("modern", "-mcpu=v2"), ("may_goto", "may-goto (Linux 6.9)"),
        ("iterator", "Linux has it since 6.4"), ("throw", "Linux has it since 6.7"),
    ]

    @Test("a fixture loads, or the remedy names what is missing and its release", arguments: lacking)
    func remedy(fixture: String, words: String) throws {
        let bench = try ChainBench()
        // Past the checks before, which know some of it too: what the verifier says is explained as well.
        let result = try bench.xdpctl("load", "near", try Fixture.path(fixture), "--force")
        guard try KernelNeed.missing(for: fixture) != nil else {
            #expect(result.status == 0, "\(result)")
            return
        }
        let text = result.errors.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(result.status == 1 && text.contains(words), "\(result)")
    }

    @Test("helpers that XDP programs never get, and numbers that nothing has")
    func strangers() {
        #expect(KernelSurvey.support(forHelper: 9) == .unsupported)
        #expect(KernelSurvey.support(forHelper: 0) == .unsupported)
        #expect(KernelSurvey.support(forHelper: 5000) == .unsupported)
        #expect(KernelSurvey.support(forHelper: .max) == .unsupported)
        #expect(KernelSurvey.support(forKernelFunction: "bpf_no_such_function") == .unsupported)
        #expect(KernelSurvey.support(forKernelFunction: "printk") == .unsupported)
    }

    @Test("the command prints what the survey says, on 80 columns")
    func command() throws {
        let bench = try ChainBench()
        let text = try bench.xdpctl("features", "--kernel")
        let json = try bench.xdpctl("features", "--kernel", "--json")

        #expect(text.status == 0 && json.status == 0, "\(text)\(json)")
        for line in text.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let value = try JSONValue(parsing: json.output)
        guard case .array(let helpers)? = value["helpers"] else {
            Issue.record("no helpers in \(json.output)")
            return
        }
        #expect(helpers.count == 211)
        #expect(helpers[11]["name"] == .string("bpf_tail_call"))
        #expect(helpers[11]["support"] == .string("yes"))
    }
}
