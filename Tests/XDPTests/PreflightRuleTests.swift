// SPDX-License-Identifier: Apache-2.0
import BPF
import Testing

@testable import XDP

/// The rules alone, on facts that are written down here.
@Suite("Rules of the preflight")
struct PreflightRuleTests {
    private static let line = DebugInformation.Line(
        instruction: 3, file: "./src/ids.c", text: "\treturn XDP_TX;", position: 42 << 10 | 5)
    private static let place = ProgramAnalysis.Place(instruction: 3, line: line)

    private static func analysis(
        _ verdicts: [Verdict: [ProgramAnalysis.Place]] = [.pass: [place]],
        _ change: (inout ProgramAnalysis) -> Void = { _ in }
    ) -> ProgramAnalysis {
        var analysis = ProgramAnalysis(of: ProgramCode(name: "ids", instructions: []))
        analysis.verdicts = verdicts
        analysis.otherCodes = []
        analysis.undecided = []
        analysis.mayThrow = false
        change(&analysis)
        return analysis
    }

    private static func member(
        _ analysis: ProgramAnalysis, ends: Set<Verdict> = Set(Verdict.allCases), supportsFrags: Bool = false,
        maps: [Int: PreflightSubject.Map] = [:]
    ) -> PreflightSubject.Member {
        PreflightSubject.Member(
            name: "ids", analysis: analysis, supportsFrags: supportsFrags, ends: ends, maps: maps)
    }

    private static func features(
        named name: String = "veth1", index: UInt32 = 7, kind: String? = "veth",
        _ answers: [InterfaceFeatures.Feature: Support] = [:]
    ) -> InterfaceFeatures {
        var features = InterfaceFeatures(name: name, index: index, unknown: "it is not said")
        features.kind = kind
        features.isUp = true
        features.native = .supported
        features.mtu = 1500
        for (feature, answer) in answers { features.features[feature] = answer }
        return features
    }

    private static func subject(
        _ members: [PreflightSubject.Member], mode: AttachMode = .native, request: ModeRequest? = nil,
        kind: String? = "veth", mtu: UInt32 = 1500, features: InterfaceFeatures? = nil,
        targets: [UInt32: PreflightSubject.Target] = [:]
    ) -> PreflightSubject {
        PreflightSubject(
            hook: PreflightSubject.Hook(
                name: "eth0", index: 2, kind: kind, mtu: mtu, features: features),
            mode: mode, request: request, members: members, targets: targets)
    }

    private static func found(_ subject: PreflightSubject) -> [String] {
        Preflight.findings(subject).map { "\($0.finding.severity) \($0.finding.rule)" }
    }

    // MARK: tx

    @Test(
        "tx on a veth depends on what its other end takes",
        arguments: [
            (Support.supported, []), (.unsupported, ["error tx"]), (.unknown("why"), ["note tx"]),
        ])
    func transmit(_ support: Support, _ expected: [String]) {
        let member = Self.member(Self.analysis([.tx: [Self.place]]))
        let features = Self.features(named: "eth0", index: 2, [.transmit: support])

        #expect(Self.found(Self.subject([member], features: features)) == expected)
    }

    @Test("a finding says where in the source, why, what follows and what to do")
    func words() throws {
        let member = Self.member(Self.analysis([.tx: [Self.place]]))
        var features = Self.features(named: "eth0", index: 2, [.transmit: .unsupported])
        features.peer = InterfacePeer(name: "far", index: 3)
        features.obstacles = [
            CheckFinding("down", .note, of: "far", "it is down", remedy: "set it up"),
            CheckFinding(
                "peer-napi", .warning, of: "eth0", "it takes nothing", remedy: "load a program on far"),
        ]

        let finding = try #require(
            Preflight.findings(Self.subject([member], features: features)).first?.finding)

        #expect(finding.what == "ids.c:42 sends packets back, and far cannot take them")
        #expect(finding.evidence.first == "ids.c:42: return XDP_TX;")
        #expect(finding.consequence == "packets answered tx are lost without a trace")
        #expect(finding.remedy == "load a program on far")
    }

    @Test("a tx that leads to another member is not the packet's")
    func edge() {
        let member = Self.member(Self.analysis([.tx: [Self.place]]), ends: [.pass, .drop])
        let features = Self.features(named: "eth0", index: 2, [.transmit: .unsupported])

        #expect(Self.found(Self.subject([member], features: features)).isEmpty)
    }

    @Test("in generic mode, and by other drivers than veth, tx is sent", arguments: ["veth", nil])
    func transmitElsewhere(_ kind: String?) {
        let member = Self.member(Self.analysis([.tx: [Self.place]]))
        let features = Self.features(named: "eth0", index: 2, kind: kind, [.transmit: .unsupported])
        let mode: AttachMode = kind == nil ? .native : .generic

        #expect(Self.found(Self.subject([member], mode: mode, kind: kind, features: features)).isEmpty)
    }

    @Test("a verdict that is computed is no certain one, and nothing is refused for it")
    func computed() {
        let all = Dictionary(uniqueKeysWithValues: Verdict.allCases.map { ($0, [Self.place]) })
        let member = Self.member(Self.analysis(all))
        let features = Self.features(named: "eth0", index: 2, [.transmit: .unsupported])

        #expect(Self.found(Self.subject([member], features: features)) == ["warning tx"])
    }

    // MARK: redirect

    private static func redirecting(
        _ target: ProgramAnalysis.RedirectTarget, fallback: Set<Verdict>? = nil,
        maps: [Int: PreflightSubject.Map] = [:], supportsFrags: Bool = false
    ) -> PreflightSubject.Member {
        member(
            analysis([.redirect: [place]]) {
                $0.redirects = [.init(target: target, fallback: fallback, places: [place])]
            }, supportsFrags: supportsFrags, maps: maps)
    }

    @Test(
        "a redirect by index depends on what the target takes, in native mode alone",
        arguments: [
            (AttachMode.native, Support.supported, []), (.native, .unsupported, ["error redirect-target"]),
            (.native, .unknown("why"), ["note redirect-target"]), (.generic, .unsupported, []),
            (.offload, .unsupported, []),
        ])
    func target(_ mode: AttachMode, _ support: Support, _ expected: [String]) {
        let targets: [UInt32: PreflightSubject.Target] = [
            7: .interface(Self.features([.transmit: support]))
        ]
        let subject = Self.subject(
            [Self.redirecting(.interfaces([7]))], mode: mode, kind: nil, targets: targets)

        #expect(Self.found(subject) == expected)
    }

    @Test("targets that are missing, down, or not known before")
    func targets() {
        var down = Self.features([.transmit: .supported])
        down.isUp = false

        #expect(
            Self.found(Self.subject([Self.redirecting(.interfaces([9]))], targets: [9: .missing]))
                == ["warning redirect-missing"])
        #expect(
            Self.found(Self.subject([Self.redirecting(.interfaces([7]))], targets: [7: .interface(down)]))
                == ["warning redirect-down"])
        #expect(Self.found(Self.subject([Self.redirecting(.interfaces(nil))])) == ["note redirect-target"])
    }

    @Test("every entry of a device map is looked at; what another namespace may have is not refused")
    func deviceMap() {
        let map = PreflightSubject.Map(
            name: "devices", type: .deviceMap,
            content: .entries([.init(key: 0, value: 7), .init(key: 1, value: 8), .init(key: 2, value: 9)]))
        let targets: [UInt32: PreflightSubject.Target] = [
            7: .interface(Self.features([.transmit: .supported])),
            8: .interface(Self.features(named: "veth2", index: 8, [.transmit: .unsupported])), 9: .missing,
        ]
        let subject = Self.subject([Self.redirecting(.map(0), maps: [0: map])], targets: targets)

        #expect(Self.found(subject) == ["error redirect-target", "note redirect-missing"])
        #expect(
            Preflight.findings(subject).first?.finding.evidence.contains {
                $0.contains("entry 1 of devices")
            } == true)
    }

    @Test(
        "an empty map: whether packets are lost until it is filled is up to the fallback",
        arguments: [
            (MapType.socketMap, [Verdict.pass], ["note xsk-socket"]),
            (.socketMap, [.drop], ["warning xsk-socket"]),
            (.processorMap, [.pass], ["note redirect-empty"]),
            (.deviceHash, [.aborted], ["warning redirect-empty"]),
        ])
    func empty(_ type: MapType, _ fallback: [Verdict], _ expected: [String]) {
        let map = PreflightSubject.Map(name: "map", type: type, content: .entries([]))
        let member = Self.redirecting(.map(0), fallback: Set(fallback), maps: [0: map])

        #expect(Self.found(Self.subject([member])) == expected)
    }

    @Test("a map that cannot be read is not taken for empty")
    func unreadable() {
        let map = PreflightSubject.Map(name: "map", type: .socketMap, content: .unknown("it is not shown"))

        #expect(
            Self.found(Self.subject([Self.redirecting(.map(0), fallback: [.drop], maps: [0: map])])).isEmpty)
    }

    @Test("redirect without a helper loses packets, unless another member may have called one")
    func nowhere() {
        let member = Self.member(Self.analysis([.redirect: [Self.place]]))
        var accompanied = Self.subject([member])
        accompanied.othersRedirect = true

        #expect(Self.found(Self.subject([member])) == ["error redirect-nowhere"])
        #expect(Self.found(accompanied).isEmpty)
    }

    @Test("large packets need a target that takes several buffers")
    func fragments() {
        let target = Self.features([.transmit: .supported, .transmitFragments: .unsupported])
        let member = Self.redirecting(.interfaces([7]), supportsFrags: true)
        let large = Self.subject([member], mtu: 9000, targets: [7: .interface(target)])
        let small = Self.subject([member], targets: [7: .interface(target)])

        #expect(Self.found(large) == ["error redirect-frags"])
        #expect(Self.found(small).isEmpty)
    }

    @Test(
        "a cpumap in generic mode depends on the kernel",
        arguments: [
            (Support.supported, []), (.unsupported, ["error generic-cpumap"]),
            (.unknown("why"), ["note generic-cpumap"]),
        ])
    func genericCPUMap(_ support: Support, _ expected: [String]) {
        let map = PreflightSubject.Map(
            name: "cpus", type: .processorMap, content: .entries([.init(key: 0, value: 192)]))
        var subject = Self.subject([Self.redirecting(.map(0), maps: [0: map])], mode: .generic)
        subject.genericCPUMap = support

        #expect(Self.found(subject) == expected)
    }

    // MARK: The mode and the size

    @Test("native mode that is not there, generic mode that need not be")
    func modes() {
        var without = Self.features(named: "eth0", index: 2, kind: "bridge")
        without.native = .unsupported
        let with = Self.features(named: "eth0", index: 2)
        let member = Self.member(Self.analysis())

        #expect(
            Self.found(Self.subject([member], request: .native, kind: "bridge", features: without))
                == ["error native"])
        #expect(
            Self.found(
                Self.subject([member], mode: .generic, request: .auto, kind: "bridge", features: without))
                == ["note native"])
        #expect(
            Self.found(Self.subject([member], mode: .generic, request: .generic, features: with))
                == ["warning generic"])
        #expect(
            Self.found(
                Self.subject([member], mode: .generic, request: .generic, kind: "bridge", features: without)
            ).isEmpty)
    }

    @Test("the MTU of a veth's other end limits members that take one buffer")
    func mtu() {
        var features = Self.features(named: "eth0", index: 2)
        features.peer = InterfacePeer(name: "far", index: 3, mtu: 9000)
        let member = Self.member(Self.analysis())
        var withFrags = Self.subject(
            [Self.member(Self.analysis(), supportsFrags: true)], request: .native, features: features)
        withFrags.supportsFrags = true

        #expect(Self.found(Self.subject([member], request: .native, features: features)) == ["error mtu"])
        #expect(Self.found(withFrags).isEmpty)
        features.peer?.mtu = 3506
        #expect(Self.found(Self.subject([member], request: .native, features: features)).isEmpty)
    }

    @Test("one member without several buffers makes a chain without, and is named")
    func mixed() throws {
        var subject = Self.subject([Self.member(Self.analysis(), supportsFrags: true)])
        subject.supportsFrags = false
        subject.withoutFrags = ["old"]

        let finding = try #require(Preflight.findings(subject).first?.finding)

        #expect(Self.found(subject) == ["note frags"])
        #expect(finding.what.contains("because old does not"))
    }

    // MARK: Code and kernel

    @Test("helpers that the kernel lacks are named with the release that brought them")
    func helpers() throws {
        let member = Self.member(Self.analysis { $0.helpers = [.init(id: 188, places: [Self.place])] })
        var subject = Self.subject([member])
        subject.helpers = [188: .unsupported]

        let finding = try #require(Preflight.findings(subject).first?.finding)

        #expect(Self.found(subject) == ["error helper"])
        #expect(finding.what == "ids.c:42 calls bpf_xdp_get_buff_len, which this kernel does not have")
        #expect(finding.remedy?.contains("Linux 5.18") == true)
    }

    @Test("metadata functions of the card are refused, as the kernel does")
    func hints() {
        let member = Self.member(
            Self.analysis {
                $0.kernelFunctions = [
                    .init(name: "bpf_xdp_metadata_rx_hash", module: nil, places: [Self.place])
                ]
            })

        #expect(Self.found(Self.subject([member])) == ["error metadata-hints"])
    }

    @Test("numbers that are no verdicts, and tail calls into nothing")
    func code() {
        let array = PreflightSubject.Map(name: "programs", type: .programArray, content: .entries([]))
        let strange = Self.member(Self.analysis([:]) { $0.otherCodes = [Self.place] })
        let calling = Self.member(
            Self.analysis { $0.tailCalls = [.init(map: 0, entries: nil, places: [Self.place])] },
            maps: [0: array])

        #expect(Self.found(Self.subject([strange])) == ["warning no-verdict"])
        #expect(Self.found(Self.subject([calling])) == ["note tail-call-empty"])
    }

    // MARK: What is new

    @Test("what held before is a note, whatever else changes")
    func known() {
        let member = Self.member(Self.analysis([.tx: [Self.place]]))
        let features = Self.features(named: "eth0", index: 2, [.transmit: .unsupported])
        let subject = Self.subject([member], features: features)
        var before = subject
        before.members[0].ends = [.pass]

        #expect(Preflight.findings(subject, since: subject).map(\.severity) == [.note])
        #expect(Preflight.findings(subject, since: before).map(\.severity) == [.error])
        #expect(Preflight.findings(subject, since: nil).map(\.severity) == [.error])
    }
}
