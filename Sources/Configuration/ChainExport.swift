// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// What runs, as a file that makes it so again.
public struct ChainExport: Encodable, Sendable {
    /// One interface.
    public struct Interface: Encodable, Sendable {
        public let mode: String
        public let counters: String
        public let fallback: String?
        public let members: [Member]
    }

    /// One member.
    public struct Member: Encodable, Sendable {
        public let name: String
        public let adopted: Bool?
        public let object: String?
        /// The rule file of a filter.
        public let filter: String?
        /// The rules of a filter that no file has.
        public let rules: String?
        public let program: String?
        public let sha256: String?
        /// By verdict.
        public let on: [String: String]?
        public let isolate: Bool?
        public let variables: [String: String]?
        public let maxEntries: [String: UInt32]?
        public let reuseMaps: [String: String]?
        public let pinMaps: String?
        /// What a reader should know.
        var remark: String?

        enum CodingKeys: String, CodingKey {
            case name, adopted, object, filter, rules, program, sha256, on, isolate, variables, maxEntries,
                reuseMaps, pinMaps
        }
    }

    public let version = FileDecoder.version
    /// By name.
    public private(set) var interfaces: [String: Interface] = [:]
    /// The names in the order in which they were added.
    private(set) var order: [String] = []

    enum CodingKeys: String, CodingKey {
        case version, interfaces
    }

    public init() {}

    /// Adds an interface and what runs on it; nil for nothing.
    public mutating func add(_ name: String, _ active: ActiveChain?) {
        order.append(name)
        guard let active, !active.manifest.isClosed else {
            interfaces[name] = Interface(mode: "native", counters: "bytes", fallback: nil, members: [])
            return
        }
        let manifest = active.manifest
        // Rules that wait to be confirmed are not there to stay.
        let chain = LiveFilter.unconfirmed(manifest.chain)
        interfaces[name] = Interface(
            // Where native mode was not to be had it is asked for again.
            mode: manifest.fellBack ? ModeRequest.auto.rawValue : active.mode.rawValue,
            counters: chain.counters.rawValue,
            fallback: chain.fallback == .aborted ? nil : chain.fallback.description,
            members: chain.members.map(Member.init))
    }
}

extension ChainExport.Member {
    init(_ member: XDP.Member) {
        let settings = member.settings
        var edges = member.edges
        var request = LoadRequest(path: member.origin)
        request.program = settings.program
        var problems: [ObjectOutline.Problem] = []
        let description = FilterDescription(member)
        let isObject = member.adopted == nil && description == nil
        let outline = isObject ? try? ObjectOutline(of: request, problems: &problems) : nil
        // The object's metadata may ask for edges that were taken away since; they are ruled out by name.
        for (verdict, _) in outline?.edges ?? [:] where edges[verdict] == nil {
            edges[verdict] = .standard(for: verdict)
        }
        let texts = edges.map { ($0.key.description, $0.value.description) }
        name = member.name
        on = texts.isEmpty ? nil : Dictionary(texts) { $1 }
        switch description {
        case .file(let path)?: (filter, rules) = (path, nil)
        case .text(let text, not: let path)?:
            (filter, rules) = (nil, text)
            remark = path.map { "the rules that run are not those of \($0)" }
        case nil: (filter, rules) = (nil, nil)
        }
        guard isObject else {
            adopted = description == nil ? true : nil
            object = nil
            program = nil
            sha256 = nil
            isolate = nil
            variables = nil
            maxEntries = nil
            reuseMaps = nil
            pinMaps = nil
            return
        }
        adopted = nil
        object = member.origin
        let isClear = outline?.program == member.unit.program
        program = isClear ? settings.program : member.unit.program
        sha256 = SHA256.hexadecimal(member.digest)
        isolate = settings.isIsolated ? true : nil
        variables = settings.variables.isEmpty ? nil : settings.variables
        maxEntries = settings.maximumEntries.isEmpty ? nil : settings.maximumEntries
        reuseMaps = settings.reusedMaps.isEmpty ? nil : settings.reusedMaps.mapValues(\.description)
        pinMaps = settings.pinDirectory
    }
}
