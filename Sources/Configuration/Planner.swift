// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Holds what files say against the machine: checks everything that can be checked without a change, and finds
/// out what has to be done.
public struct Planner {
    /// The interfaces to look at; nil for all.
    public var only: Set<String>?
    /// Whether interfaces that do not exist are passed over.
    public var skipsMissing = false
    /// Whether chains on interfaces that no file names are to go.
    public var prunes = false
    private var findings: [Finding] = []

    public init() {}

    /// The plan, in the order of the files; interfaces that are pruned come last.
    ///
    /// Throws one error with everything that was found.
    public mutating func plan(_ files: ConfigurationFiles) throws(XDPError) -> [PlannedInterface] {
        findings = files.findings
        let existing = Dictionary(try Interface.all().map { ($0.name, $0) }) { $1 }
        var planned: [PlannedInterface] = []
        for entry in files.entries where only?.contains(entry.name) ?? true {
            let outlines = inspect(entry)
            let makers = makers(entry)
            guard let interface = existing[entry.name] else {
                if skipsMissing {
                    planned.append(Self.missing(entry))
                } else {
                    findings.append(
                        entry.finding(
                            .refused, at: .interface, "there is no interface \(entry.name)",
                            remedy:
                                "`ip link` lists those of this network namespace; --skip-missing passes over "
                                + "those that are not there"))
                }
                continue
            }
            // Without all of its objects nothing more can be said of it.
            guard let target = target(entry, outlines, makers) else { continue }
            if let plan = try plan(entry, target, interface) { planned.append(plan) }
        }
        if prunes { planned += try pruned(Array(existing.values), named: Set(files.entries.map(\.name))) }
        if !findings.isEmpty { throw Self.error(findings) }
        return planned
    }

    /// One error for everything that was found.
    public static func error(_ findings: [Finding]) -> XDPError {
        let kinds = Set(findings.map(\.kind))
        let kind: XDPError.Kind =
            kinds.contains(.invalid) ? .invalid : kinds.contains(.refused) ? .refused : .failed
        var error = XDPError(
            kind, "Nothing was applied",
            because: findings.count == 1 ? "one thing is wrong" : "\(findings.count) things are wrong")
        // As a reader goes through the files.
        var files: [String: Int] = [:]
        for finding in findings where files[finding.file] == nil { files[finding.file] = files.count }
        error.findings = findings.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            return (files[a.file] ?? 0, a.line ?? 0, a.column ?? 0, left.offset)
                < (files[b.file] ?? 0, b.line ?? 0, b.column ?? 0, right.offset)
        }.map(\.element)
        return error
    }

    // MARK: Checks

    /// Opens the objects of an entry; members whose object cannot be used are missing in what is returned.
    private mutating func inspect(_ entry: InterfaceEntry) -> [String: ObjectOutline] {
        var outlines: [String: ObjectOutline] = [:]
        for member in entry.specification.members {
            guard case .object(let request) = member.source, !request.path.isEmpty else { continue }
            var problems: [ObjectOutline.Problem] = []
            do throws(ObjectOutline.Problem) {
                let outline = try ObjectOutline(of: request, problems: &problems)
                if problems.isEmpty { outlines[member.name] = outline }
                if let wanted = member.digest, wanted != outline.digest {
                    let error = outline.mismatch(with: wanted)
                    outlines[member.name] = nil
                    findings.append(
                        entry.finding(
                            .refused, at: .value(member: member.name, key: "sha256"),
                            "\(error.what): \(error.why)", remedy: error.remedy))
                }
            } catch {
                problems.append(error)
            }
            for problem in problems {
                findings.append(
                    entry.finding(
                        .refused, at: Self.part(problem.place, of: member.name),
                        "\(problem.error.what): \(problem.error.why)", remedy: problem.error.remedy))
            }
        }
        return outlines
    }

    /// Reads the rules of an entry; filters whose rules cannot be used are missing in what is returned.
    private mutating func makers(_ entry: InterfaceEntry) -> [String: any MemberMaker] {
        var makers: [String: any MemberMaker] = [:]
        for member in entry.specification.members {
            guard case .rules(let origin) = member.source else { continue }
            do throws(XDPError) {
                let rules: RuleSet
                var path: String?
                switch origin {
                case .file(let file):
                    path = file
                    rules = try RuleFile.parse(try RuleFile.bytes(of: file), file: file)
                case .text(let text):
                    rules = try RuleFile.parse(
                        Array(text.utf8), file: "\(entry.file), rules of \(member.name)")
                }
                makers[member.name] = FilterMaker(FilterSource(rules, path: path))
            } catch {
                findings += error.findings
                if error.findings.isEmpty {
                    findings.append(
                        entry.finding(
                            .refused, at: .value(member: member.name, key: "filter"),
                            "\(error.what): \(error.why)", remedy: error.remedy))
                }
            }
        }
        return makers
    }

    private static func part(_ place: ObjectOutline.Place, of member: String) -> InterfaceEntry.Part {
        switch place {
        case .object: .value(member: member, key: "object")
        case .program: .value(member: member, key: "program")
        case .variable(let name): .value(member: member, key: "variables", inner: name)
        case .maximumEntries(let name): .value(member: member, key: "max_entries", inner: name)
        case .reusedMap(let name): .value(member: member, key: "reuse_maps", inner: name)
        case .pinDirectory: .value(member: member, key: "pin_maps")
        }
    }

    /// Checks the graph, if all objects are known.
    private mutating func target(
        _ entry: InterfaceEntry, _ outlines: [String: ObjectOutline], _ makers: [String: any MemberMaker]
    ) -> ChainTarget? {
        let members = entry.specification.members
        let names = members.map(\.name)
        for member in members {
            if case .object = member.source, outlines[member.name] == nil { return nil }
            if case .rules = member.source, makers[member.name] == nil { return nil }
            for case .member(let name) in member.edges.values where !names.contains(name) { return nil }
        }
        do throws(XDPError) {
            return try ChainTarget(entry.specification, outlines: outlines, makers: makers)
        } catch {
            findings.append(
                entry.finding(
                    .invalid, at: Self.backEdge(entry, on: error.why), "\(error.what): \(error.why)",
                    remedy: error.remedy))
            return nil
        }
    }

    /// The edge that closes a circle: one that leads back in the order of the file.
    private static func backEdge(_ entry: InterfaceEntry, on circle: String) -> InterfaceEntry.Part {
        let names = entry.specification.members.map(\.name)
        for (place, member) in entry.specification.members.enumerated() {
            for (verdict, edge) in member.edges.sorted(by: { $0.key < $1.key }) {
                guard case .member(let target) = edge, names.prefix(place + 1).contains(target),
                    "\(circle) ".contains("\(member.name) → \(target) ")
                else { continue }
                return .value(member: member.name, key: "on", inner: verdict.description)
            }
        }
        return .members
    }

    // MARK: Plans

    private mutating func plan(
        _ entry: InterfaceEntry, _ target: ChainTarget, _ interface: Interface
    ) throws(XDPError) -> PlannedInterface? {
        let occupant = try interface.occupant().withoutLoan
        let obstacles = ChainObstacle.all(on: interface, running: occupant, to: target)
        for obstacle in obstacles {
            let part: InterfaceEntry.Part =
                switch obstacle.place {
                case .interface: .interface
                case .mode: .mode
                case .member(let name): .member(name)
                }
            findings.append(
                entry.finding(.refused, at: part, obstacle.error.why, remedy: obstacle.error.remedy))
        }
        guard obstacles.isEmpty else { return nil }
        let current = Self.chain(occupant)
        return PlannedInterface(
            name: entry.name, file: entry.file, interface: interface, target: target,
            plan: ChainPlan(from: occupant, to: target), foreseen: current?.members.map(\.name) ?? [])
    }

    private static func missing(_ entry: InterfaceEntry) -> PlannedInterface {
        PlannedInterface(
            name: entry.name, file: entry.file, interface: nil, target: nil, plan: .nothing, foreseen: [])
    }

    private func pruned(
        _ interfaces: [Interface], named: Set<String>
    ) throws(XDPError) -> [PlannedInterface] {
        let target = try ChainTarget(ChainSpecification(), outlines: [:])
        var planned: [PlannedInterface] = []
        for interface in interfaces.sorted(by: { $0.index < $1.index })
        where !named.contains(interface.name) && only?.contains(interface.name) ?? true {
            guard let chain = Self.chain(try interface.occupant().withoutLoan) else { continue }
            planned.append(
                PlannedInterface(
                    name: interface.name, file: nil, interface: interface, target: target,
                    plan: ChainPlan(from: chain, to: target), foreseen: chain.members.map(\.name)))
        }
        return planned
    }

    private static func chain(_ occupant: Occupant) -> Chain? {
        guard case .chain(let active) = occupant, !active.manifest.isClosed else { return nil }
        return active.manifest.chain
    }
}
