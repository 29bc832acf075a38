// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import TestSupport
import XDP

/// One change of a chain, as the arguments of the worker say it.
enum Operation {
    case load(name: String, path: String, position: Position?, isIsolated: Bool)
    case replace(name: String, path: String)
    case unload(name: String)
    case unloadAll
    case adopt(name: String)
    case release(name: String)
    /// The rules of a file; with so many seconds to confirm them.
    case filter(path: String, confirm: UInt64?)
    case confirm, revert, filterRemove
    case tap(name: String)
    case untap(name: String)
    /// The owners of all taps end.
    case orphan
    /// Ends all taps, and unloads what is loaded.
    case clear

    /// `load NAME PATH [first]`, `isolate NAME PATH` (first, with a program of its own), `replace NAME PATH`,
    /// `unload NAME`, `unload-all`, `adopt NAME`, `release NAME`,
    /// `filter PATH [SECONDS]`, `confirm`, `revert`, `filter-remove`, `tap NAME`, `untap NAME`, `orphan`, `clear`.
    init?(_ words: [String]) {
        switch (words.first, words.count) {
        case ("load", 3): self = .load(name: words[1], path: words[2], position: nil, isIsolated: false)
        case ("load", 4): self = .load(name: words[1], path: words[2], position: .first, isIsolated: false)
        case ("isolate", 3): self = .load(name: words[1], path: words[2], position: .first, isIsolated: true)
        case ("replace", 3): self = .replace(name: words[1], path: words[2])
        case ("unload", 2): self = .unload(name: words[1])
        case ("unload-all", 1): self = .unloadAll
        case ("filter", 2): self = .filter(path: words[1], confirm: nil)
        case ("filter", 3): self = .filter(path: words[1], confirm: UInt64(words[2]))
        case ("confirm", 1): self = .confirm
        case ("revert", 1): self = .revert
        case ("filter-remove", 1): self = .filterRemove
        case ("tap", 2): self = .tap(name: words[1])
        case ("untap", 2): self = .untap(name: words[1])
        case ("orphan", 1): self = .orphan
        case ("clear", 1): self = .clear
        case ("adopt", 2): self = .adopt(name: words[1])
        case ("release", 2): self = .release(name: words[1])
        default: return nil
        }
    }

    /// Whether it ends with a look at every process, pin and program of the machine, where calls are many.
    var hasLongEnd: Bool {
        switch self {
        case .adopt, .release, .tap, .untap: true
        default: false
        }
    }

    @discardableResult
    func perform(on interface: String) throws(XDPError) -> ChangeReport {
        var editor = ChainEditor(try Interface(named: interface))
        editor.overridesChecks = true
        switch self {
        case .load(let name, let path, let position, let isIsolated):
            var request = LoadRequest(path: path)
            request.name = name
            request.position = position
            request.isIsolated = isIsolated
            return try editor.load([request])
        case .replace(let name, let path):
            return try editor.replace(name, with: LoadRequest(path: path))
        case .unload(let name): return try editor.unload([name])
        case .unloadAll: return try editor.unload(nil)
        case .adopt(let name): return try editor.adopt(name: name)
        case .release(let name): return try editor.release(name)
        case .filter(let path, let confirm):
            var filters = self.filters(editor.interface)
            filters.confirmSeconds = confirm
            let rules = try RuleFile.parse(SmallFile.bytes(of: path), file: path)
            return try filters.apply(FilterSource(rules, path: path)).change
        case .confirm: return try filters(editor.interface).confirm().change
        case .revert: return try filters(editor.interface).revert().change
        case .filterRemove: return try filters(editor.interface).remove()
        case .tap(let name):
            let made: (tap: Tap, maps: [MapHandle])
            do throws(BPFError) {
                made = try Tap.idle(name)
            } catch {
                throw XDPError(error, during: "No tap can be made")
            }
            return try editor.startTap(made.tap, resources: made.maps, mode: .native)
        case .untap(let name): return try editor.endTap(name)
        case .orphan:
            let report = try editor.endTap("nobody's")
            for tap in try Self.taps(of: editor.interface) { try? tap.orphan() }
            return report
        case .clear:
            var report = try editor.endTap("nobody's")
            for tap in try Self.taps(of: editor.interface) { report = try editor.endTap(tap.name) }
            guard case .chain(let active) = try Interface(named: interface).occupant(),
                !active.manifest.chain.members.isEmpty
            else { return report }
            return try editor.unload(nil)
        }
    }

    /// The taps of the chain that runs.
    static func taps(of interface: Interface) throws(XDPError) -> [Tap] {
        guard case .chain(let active) = try Interface(named: interface.name).occupant() else { return [] }
        return active.manifest.chain.taps
    }

    private func filters(_ interface: Interface) -> FilterEditor {
        var editor = FilterEditor(interface)
        editor.overridesChecks = true
        return editor
    }
}
