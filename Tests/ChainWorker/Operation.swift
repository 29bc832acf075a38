// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
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

    /// `load NAME PATH [first]`, `isolate NAME PATH` (first, with a program of its own), `replace NAME PATH`,
    /// `unload NAME`, `unload-all`, `adopt NAME`, `release NAME`,
    /// `filter PATH [SECONDS]`, `confirm`, `revert`, `filter-remove`.
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
        case ("adopt", 2): self = .adopt(name: words[1])
        case ("release", 2): self = .release(name: words[1])
        default: return nil
        }
    }

    /// Whether it ends with a look at every process, pin and program of the machine, where calls are many.
    var hasLongEnd: Bool {
        switch self {
        case .adopt, .release: true
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
        }
    }

    private func filters(_ interface: Interface) -> FilterEditor {
        var editor = FilterEditor(interface)
        editor.overridesChecks = true
        return editor
    }
}
