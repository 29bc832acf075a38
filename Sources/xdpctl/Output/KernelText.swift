// SPDX-License-Identifier: Apache-2.0
import XDP

/// Writes what the kernel gives for people, on 80 columns.
struct KernelText {
    private(set) var lines: [String] = []

    init(_ report: KernelReport) {
        lines.append(Terminal.bold("Linux \(report.release)") + "  \(report.machine)")
        for group in KernelFeature.Group.allCases {
            add(Self.title(group), report.features.filter { $0.group == group.rawValue })
        }
        addMapTypes(report.mapTypes)
        addHelpers(report.helpers)
        addFunctions(report.kernelFunctions)
    }

    private static func title(_ group: KernelFeature.Group) -> String {
        switch group {
        case .instructions: "INSTRUCTIONS"
        case .loading: "LOADING"
        case .running: "ATTACHING AND TRYING"
        case .programTypes: "PROGRAMS BESIDE XDP"
        }
    }

    private mutating func add(_ title: String, _ features: [KernelReport.FeatureStatus]) {
        lines += ["", Terminal.bold(title)]
        let names = features.map(\.name.count).max() ?? 0
        for feature in features {
            var text = feature.title
            if feature.support == "no" { text += "; Linux has it since \(feature.since)" }
            if let note = feature.note ?? feature.reason { text += "; \(note)" }
            let start =
                "  " + feature.name.padding(to: names) + "  " + feature.support.padding(to: 7) + "  "
            lines.append(start + Terminal.wrapped(text, indent: start.count, column: start.count))
        }
    }

    private mutating func addMapTypes(_ types: [KernelReport.MapTypeStatus]) {
        lines += ["", Terminal.bold("MAP TYPES")]
        addList("", types.filter { $0.support == "yes" }.map(\.name))
        addList(
            "Not in this kernel: ",
            types.filter { $0.support == "no" }.map { "\($0.name) (Linux \($0.since))" })
        addUnknown(types.compactMap { row in row.reason.map { (row.name, $0) } })
    }

    private mutating func addHelpers(_ helpers: [KernelReport.HelperStatus]) {
        let there = helpers.filter { $0.support == "yes" }
        lines += [
            "",
            Terminal.bold("HELPERS")
                + "  XDP programs can call \(there.count) of \(helpers.count), without bpf_:",
        ]
        addList("", there.map { Self.short($0.name) })
        addList(
            "Not for XDP programs on this kernel: ",
            helpers.filter { $0.support == "no" && $0.exists != false }.map { Self.short($0.name) })
        addMissing(
            helpers.filter { $0.support == "no" && $0.exists == false }.map { ($0.name, $0.since) })
        addUnknown(helpers.compactMap { row in row.reason.map { (Self.short(row.name), $0) } })
    }

    private mutating func addFunctions(_ functions: [KernelReport.KernelFunctionStatus]) {
        let there = functions.filter { $0.support == "yes" }
        lines += [
            "",
            Terminal.bold("KERNEL FUNCTIONS") + "  XDP programs can call \(there.count), without bpf_:",
        ]
        addList("", there.map { Self.short($0.name) + ($0.module.map { " [\($0)]" } ?? "") })
        addList(
            "Not for XDP programs on this kernel: ",
            functions.filter { $0.support == "no" && $0.exists != false }.map { Self.short($0.name) })
        addMissing(
            functions.filter { $0.support == "no" && $0.exists == false }.map { ($0.name, $0.since ?? "") })
        addUnknown(functions.compactMap { row in row.reason.map { (Self.short(row.name), $0) } })
    }

    /// A paragraph for each Linux release, in the order in which they appeared.
    private mutating func addMissing(_ rows: [(name: String, since: String)]) {
        guard !rows.isEmpty else { return }
        lines.append("  Not in this kernel, by the Linux release that brought them:")
        let releases = Set(rows.map(\.since)).sorted { Self.order($0) < Self.order($1) }
        for release in releases {
            let names = rows.filter { $0.since == release }.map { Self.short($0.name) }
            lines.append(
                "    " + release.padding(to: 6)
                    + Terminal.wrapped(names.joined(separator: ", "), indent: 10, column: 10))
        }
    }

    /// 5.10 comes after 5.9.
    static func order(_ release: String) -> Int {
        let parts = release.split(separator: ".").compactMap { Int($0) }
        return (parts.first ?? 0) * 1000 + (parts.dropFirst().first ?? 0)
    }

    /// One line for each reason.
    private mutating func addUnknown(_ rows: [(name: String, reason: String)]) {
        for reason in Set(rows.map(\.reason)).sorted() {
            addList("Unknown, \(reason): ", rows.filter { $0.reason == reason }.map(\.name))
        }
    }

    private mutating func addList(_ title: String, _ names: [String]) {
        guard !names.isEmpty else { return }
        lines.append(Terminal.paragraph(title + names.joined(separator: ", "), indent: 4, column: 2))
    }

    private static func short(_ name: String) -> String {
        name.hasPrefix("bpf_") ? String(name.dropFirst(4)) : name
    }
}

extension String {
    /// With spaces behind it, so that it is at least so wide.
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
