// SPDX-License-Identifier: Apache-2.0
import Glibc
import Observe
import XDP

/// What `top` prints. Documentation/json.md describes the fields.
struct TopOutput: Encodable {
    struct MemberOutput: Encodable {
        let name: String
        /// Missing where nothing is counted, or the chain changed meanwhile.
        let packetsPerSecond: Double?
        /// With --members alone, and where packets were measured.
        let nanosecondsPerPacket: Double?
    }

    struct InterfaceOutput: Encodable {
        let name: String
        let index: UInt32
        let mode: String
        let programID: UInt32
        /// Missing where the program was exchanged meanwhile.
        let packetsPerSecond: Double?
        let nanosecondsPerPacket: Double?
        let cpuPercent: Double?
        let members: [MemberOutput]

        enum CodingKeys: String, CodingKey {
            case name, index, mode
            case programID = "programId"
            case packetsPerSecond, nanosecondsPerPacket, cpuPercent, members
        }
    }

    let format = 1
    let seconds: Double?
    let processors: Int
    /// What measuring adds to each run, and what is shown does not have.
    let overheadNanoseconds: Double
    /// The dearest first.
    let interfaces: [InterfaceOutput]
    /// What the user should know of --members; missing without it.
    let notes: [String]?

    enum CodingKeys: String, CodingKey {
        case format, seconds, processors, overheadNanoseconds, interfaces, notes
    }

    init(
        _ costs: [ChainCost], _ samples: [InterfaceSample], since earlier: [InterfaceSample],
        overhead: Double,
        members memberCosts: [UInt32: [MemberCost]] = [:], notes: [String] = []
    ) {
        self.notes = notes.isEmpty ? nil : notes
        let before = Dictionary(earlier.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        let measured = Dictionary(costs.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        seconds = costs.map(\.seconds).max().map { Self.rounded($0, 1000) }
        processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        overheadNanoseconds = Self.rounded(overhead, 10)
        interfaces = samples.compactMap { sample -> InterfaceOutput? in
            guard let mode = sample.mode, let program = sample.programID else { return nil }
            let cost = measured[sample.index]
            return InterfaceOutput(
                name: sample.interface, index: sample.index, mode: mode.rawValue, programID: program,
                packetsPerSecond: cost.map { Self.rounded($0.packetsPerSecond, 10) },
                nanosecondsPerPacket: cost?.nanosecondsPerPacket.map { Self.rounded($0, 10) },
                cpuPercent: cost.map { Self.rounded($0.percentOfCPU, 100) },
                members: Self.members(sample, since: before[sample.index], memberCosts[sample.index] ?? []))
        }.sorted { ($0.cpuPercent ?? 0, $1.name) > ($1.cpuPercent ?? 0, $0.name) }
    }

    private static func members(
        _ sample: InterfaceSample, since earlier: InterfaceSample?, _ costs: [MemberCost]
    ) -> [MemberOutput] {
        let difference = earlier.map { SampleDifference(from: $0, to: sample) }
        return (sample.members ?? []).map { member in
            let counted = difference.flatMap { $0.isSameChain ? $0.counted.member(member.name) : nil }
            return MemberOutput(
                name: member.name,
                packetsPerSecond: counted.map {
                    rounded(Double($0.counters.total.packets) / max(difference?.seconds ?? 1, 0.001), 10)
                },
                nanosecondsPerPacket: costs.first { $0.member == member.name }.map {
                    rounded($0.nanosecondsPerPacket, 10)
                })
        }
    }

    private static func rounded(_ value: Double, _ scale: Double) -> Double {
        (value * scale).rounded() / scale
    }

    // MARK: Text

    var lines: [String] {
        let percent = interfaces.reduce(0) { $0 + ($1.cpuPercent ?? 0) }
        let span = seconds.map { ", over \(Number.decimal($0, 1)) s" } ?? ""
        var table = TextTable([.left, .left, .right, .right, .right])
        table.add("INTERFACE", "MODE", "PACKETS/S", "NS/PACKET", "CPU")
        for interface in interfaces {
            table.add(
                Terminal.clean(interface.name), interface.mode,
                interface.packetsPerSecond.map { Number.decimal($0, 0) } ?? "changed",
                interface.nanosecondsPerPacket.map { Number.decimal($0, 1) } ?? "",
                interface.cpuPercent.map { "\(Number.decimal($0, 1)) %" } ?? "")
            for member in interface.members {
                table.add(
                    "  \(Terminal.clean(member.name))", "",
                    member.packetsPerSecond.map { Number.decimal($0, 0) } ?? "",
                    member.nanosecondsPerPacket.map { Number.decimal($0, 1) } ?? "")
            }
        }
        let title =
            "XDP takes \(Number.decimal(percent, 1)) % of one CPU, of \(processors) there are\(span)"
        return [
            Terminal.bold(title),
            Terminal.dim(
                "measuring adds \(Number.decimal(overheadNanoseconds, 0)) ns to each run, not shown here"),
        ] + (notes ?? []).map { Terminal.dim(Terminal.paragraph(Terminal.clean($0), indent: 0)) } + [""]
            + (interfaces.isEmpty
                ? ["no interface has an XDP program"] : table.lines(indent: 0, shortening: 0))
    }
}
