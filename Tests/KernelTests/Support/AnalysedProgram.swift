// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport

@testable import XDP

/// A program of an object, prepared and analysed.
struct AnalysedProgram {
    let built: MemberBuilder.Built
    let code: ProgramCode
    let analysis: ProgramAnalysis

    init(path: String, program: String? = nil) throws {
        var request = LoadRequest(path: path)
        request.program = program
        request.name = "analysed"
        request.pinDirectory = "/sys/fs/bpf/nobody-pins-here"
        built = try MemberBuilder().build(request)
        code = ProgramCode(built.member.unit, mapIDs: built.maps.map(\.id))
        analysis = ProgramAnalysis(of: code)
    }

    init(fixture: String, program: String? = nil) throws {
        try self.init(path: Fixture.path(fixture), program: program)
    }

    /// The objects of xdp-tools and libxdp, with the names of their XDP programs.
    static func packaged() throws -> [(path: String, program: String)] {
        let folder = PackagedObjects.folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let wanted = names.filter { name in
            name.hasSuffix(".o")
                && ["xdpfilt_", "xdpdump_xdp", "xsk_def_xdp_prog", "xdp-dispatcher"].contains(
                    where: name.hasPrefix)
        }
        guard wanted.contains("xdpfilt_alw_all.o"), wanted.contains("xsk_def_xdp_prog.o") else {
            throw DifferentialPool.MissingPackage()
        }
        return try wanted.sorted().flatMap { name in
            let path = "\(folder)/\(name)"
            let object = try ObjectFile(bytes: ObjectBytes.read(path), name: path)
            return object.programs.filter(\.isXDP).map { (path, $0.name) }
        }
    }

    /// The result in one line for a golden file.
    var summary: String {
        let maps = code.maps.map(\.name)
        var words = [analysis.verdictSet.sorted().map(\.description).joined(separator: " ")]
        if !analysis.otherCodes.isEmpty { words.append("other codes") }
        if !analysis.undecided.isEmpty { words.append("undecided") }
        for redirect in analysis.redirects {
            let fallback =
                redirect.fallback.map { $0.sorted().map(\.description).joined(separator: " ") } ?? "any"
            switch redirect.target {
            case .interfaces(let indices):
                words.append("to interfaces \(indices?.sorted().description ?? "any")")
            case .map(let place): words.append("to \(maps[place]) or \(fallback)")
            case .unknownMap: words.append("to a map or \(fallback)")
            }
        }
        for call in analysis.tailCalls {
            words.append(
                "tail call by \(call.map.map { maps[$0] } ?? "a map") \(call.entries?.sorted() ?? [])")
        }
        if !analysis.adjustsHead.isEmpty { words.append("adjusts head") }
        if !analysis.adjustsTail.isEmpty { words.append("adjusts tail") }
        if !analysis.adjustsMetadata.isEmpty { words.append("adjusts metadata") }
        let helpers = analysis.helpers.map { "\($0.id)" }
        if !helpers.isEmpty { words.append("helpers \(helpers.joined(separator: " "))") }
        if !analysis.kernelFunctions.isEmpty {
            words.append("calls \(analysis.kernelFunctions.map(\.name).joined(separator: " "))")
        }
        if !analysis.unknownCalls.isEmpty { words.append("unknown calls") }
        let fields = ProgramAnalysis.ContextField.allCases.filter {
            analysis.contextFields?.contains($0) ?? true
        }
        if !fields.isEmpty { words.append("reads \(fields.map(\.rawValue).joined(separator: " "))") }
        if let assumption = analysis.assumption { words.append(assumption) }
        return words.joined(separator: "; ")
    }
}
