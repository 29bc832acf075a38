// SPDX-License-Identifier: Apache-2.0
import BPF
import Testing

@testable import XDP

/// Rules about cards and kernels that the tests' machines do not have, on facts that are written down here.
@Suite("Rules of the preflight for cards")
struct PreflightCardRuleTests {
    private static let place = ProgramAnalysis.Place(instruction: 3)

    private static func analysis(_ change: (inout ProgramAnalysis) -> Void) -> ProgramAnalysis {
        var analysis = ProgramAnalysis(of: ProgramCode(name: "ids", instructions: []))
        (analysis.verdicts, analysis.otherCodes, analysis.undecided) = ([.pass: [place]], [], [])
        change(&analysis)
        return analysis
    }

    private static func card(_ answers: [InterfaceFeatures.Feature: Support]) -> InterfaceFeatures {
        var features = InterfaceFeatures(name: "eth0", index: 2, unknown: "it is not said")
        features.native = .supported
        for (feature, answer) in answers { features.features[feature] = answer }
        return features
    }

    private static func found(
        _ member: PreflightSubject.Member, _ features: InterfaceFeatures, mode: AttachMode = .native,
        request: ModeRequest? = nil, genericCPUMap: Support = .supported
    ) -> [String] {
        var subject = PreflightSubject(
            hook: PreflightSubject.Hook(name: "eth0", index: 2, features: features), mode: mode,
            request: request, members: [member])
        subject.genericCPUMap = genericCPUMap
        return Preflight.findings(subject).map { "\($0.finding.severity) \($0.finding.rule)" }
    }

    @Test("a driver that runs programs and cannot redirect", arguments: [true, false])
    func redirect(_ canRedirect: Bool) {
        let analysis = Self.analysis {
            $0.verdicts = [.redirect: [Self.place]]
            $0.redirects = [.init(target: .unknownMap, places: [Self.place])]
        }
        let member = PreflightSubject.Member(name: "ids", analysis: analysis)
        let card = Self.card([.basic: .supported, .redirect: canRedirect ? .supported : .unsupported])

        #expect(Self.found(member, card).contains("error redirect") == !canRedirect)
        #expect(!Self.found(member, card, mode: .generic).contains("error redirect"))
    }

    @Test(
        "what stands in the way on the card is passed on as it was found",
        arguments: ["queues", "lro", "gro-hw"])
    func obstacles(_ rule: String) {
        let member = PreflightSubject.Member(name: "ids", analysis: Self.analysis { _ in })
        var card = Self.card([.basic: .supported])
        card.obstacles = [
            CheckFinding(rule, .error, of: "eth0", "it is in the way", remedy: "change it"),
            CheckFinding(rule, .note, of: "eth0", "it may be in the way"),
        ]

        #expect(Self.found(member, card, request: .native) == ["error \(rule)"])
        // What runs already was taken.
        #expect(Self.found(member, card).isEmpty)
        card.obstacles = []
        #expect(Self.found(member, card, request: .native).isEmpty)
    }

    @Test("programs in a device map's entries, in generic mode of old kernels")
    func deviceMapPrograms() {
        func found(program: UInt32, _ support: Support) -> [String] {
            let analysis = Self.analysis {
                $0.verdicts = [.redirect: [Self.place]]
                $0.redirects = [.init(target: .map(0), places: [Self.place])]
            }
            let map = PreflightSubject.Map(
                name: "ports", type: .deviceMap,
                content: .entries([.init(key: 0, value: 7, program: program)]))
            let member = PreflightSubject.Member(name: "ids", analysis: analysis, maps: [0: map])
            return Self.found(member, Self.card([:]), mode: .generic, genericCPUMap: support)
        }

        #expect(found(program: 9, .unsupported).contains("warning generic-devmap-program"))
        #expect(!found(program: 0, .unsupported).contains("warning generic-devmap-program"))
        #expect(!found(program: 9, .supported).contains("warning generic-devmap-program"))
    }
}
