// SPDX-License-Identifier: Apache-2.0
import XDP

/// One change of a chain, as the arguments of the worker say it.
enum Operation {
    case load(name: String, path: String, position: Position?, isIsolated: Bool)
    case replace(name: String, path: String)
    case unload(name: String)
    case unloadAll
    case adopt(name: String)
    case release(name: String)

    /// `load NAME PATH [first]`, `isolate NAME PATH` (first, with a program of its own), `replace NAME PATH`,
    /// `unload NAME`, `unload-all`, `adopt NAME`, `release NAME`.
    init?(_ words: [String]) {
        switch (words.first, words.count) {
        case ("load", 3): self = .load(name: words[1], path: words[2], position: nil, isIsolated: false)
        case ("load", 4): self = .load(name: words[1], path: words[2], position: .first, isIsolated: false)
        case ("isolate", 3): self = .load(name: words[1], path: words[2], position: .first, isIsolated: true)
        case ("replace", 3): self = .replace(name: words[1], path: words[2])
        case ("unload", 2): self = .unload(name: words[1])
        case ("unload-all", 1): self = .unloadAll
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
        }
    }
}
