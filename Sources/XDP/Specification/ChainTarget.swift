// SPDX-License-Identifier: Apache-2.0

/// A specification of which everything was checked that can be checked without changing anything: its objects
/// are there, its edges lead somewhere and not in circles.
public struct ChainTarget: Sendable {
    /// A member with all of its edges.
    public struct Member: Sendable {
        /// Where its program comes from.
        public enum Source: Sendable {
            case object(LoadRequest, ObjectOutline)
            case adopted
            case made(any MemberMaker)
        }

        public let name: String
        public let source: Source
        public let edges: [Verdict: Edge]
    }

    public let mode: ModeRequest
    public let counters: CounterMode
    public let fallback: Verdict
    public let members: [Member]

    /// The member that a program which somebody else attached would become.
    var adoptee: String? {
        members.first { member in
            if case .adopted = member.source { true } else { false }
        }?.name
    }

    /// Checks a specification whose objects were opened.
    ///
    /// - Parameters:
    ///   - outlines: of the objects, by name of the member; a member without one is taken for adopted.
    ///   - makers: of the members that come from no object, by name.
    public init(
        _ specification: ChainSpecification, outlines: [String: ObjectOutline],
        makers: [String: any MemberMaker] = [:]
    ) throws(XDPError) {
        for case .rules in specification.members.filter({ makers[$0.name] == nil }).map(\.source) {
            throw XDPError(
                .failed, "The chain cannot be made as described",
                because: "it has rules that nothing makes a member of")
        }
        mode = specification.mode
        // A card that runs the chain itself cannot count for us.
        counters = specification.mode == .offload ? .off : specification.counters
        fallback = specification.fallback
        members = specification.members.map { member in
            if case .object(let request) = member.source, let outline = outlines[member.name] {
                return Member(
                    name: member.name, source: .object(request, outline),
                    edges: outline.edges.merging(member.edges) { $1 })
            }
            if let maker = makers[member.name] {
                return Member(name: member.name, source: .made(maker), edges: member.edges)
            }
            return Member(name: member.name, source: .adopted, edges: member.edges)
        }
        var trial = Chain()
        for member in members {
            var placeholder = XDP.Member.placeholder(member.name)
            placeholder.edges = member.edges
            try trial.insert(placeholder, at: .last)
        }
        _ = try ChainGraph(trial)
    }

    /// Opens the objects of a specification and checks it; the first thing that is wrong is thrown.
    public init(resolving specification: ChainSpecification) throws(XDPError) {
        var outlines: [String: ObjectOutline] = [:]
        for member in specification.members {
            guard case .object(let request) = member.source else { continue }
            var problems: [ObjectOutline.Problem] = []
            do throws(ObjectOutline.Problem) {
                let outline = try ObjectOutline(of: request, problems: &problems)
                if let first = problems.first { throw first }
                outlines[member.name] = outline
            } catch {
                throw error.error
            }
            if let wanted = member.digest, let outline = outlines[member.name], outline.digest != wanted {
                throw outline.mismatch(with: wanted)
            }
        }
        try self.init(specification, outlines: outlines)
    }
}

extension ObjectOutline {
    /// The file is not the one that was meant.
    public func mismatch(with wanted: [UInt8]) -> XDPError {
        XDPError(
            .refused, "\(origin) is not loaded",
            because:
                "its SHA-256 is \(SHA256.hexadecimal(digest)), and \(SHA256.hexadecimal(wanted)) was asked "
                + "for: the file changed on disk since",
            remedy: "Look at what changed it; if it is right, put the new digest in")
    }
}

extension Member {
    /// Stands for a member whose code is not known yet, where names, order and edges are tried.
    static func placeholder(_ name: String) -> Member {
        Member(
            name: name, origin: "", digest: [], unit: Unit(program: "", license: "GPL", instructions: []),
            mapIDs: [])
    }
}
