// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Synchronization

/// Finds out whether XDP programs can call a kernel function: looks for it in the kernel's type information, and
/// loads the smallest program that calls it.
enum KernelFunctionTrial {
    /// Type information, which takes a while to read.
    private struct Types: Sendable {
        var functions: [String: UInt32] = [:]
        var marked: [KernelTypes.Function] = []
    }

    private static let modules = Mutex<[String: Types]>([:])

    static func support(_ name: String, module: String?) -> Support {
        answer(name, module: module).support
    }

    /// Whether the kernel has the function at all; nil where that is not to be seen.
    static func exists(_ name: String, module: String?) -> Bool? {
        answer(name, module: module).exists
    }

    /// Everything that is marked for programs to call or known from other kernels, by name.
    static func all() -> [KernelSurvey.KernelFunctionAnswer] {
        var wanted: [String: String?] = [:]
        for entry in KernelFunctionTable.all { wanted[entry.name] = .some(entry.module) }
        for function in types(of: nil)?.marked ?? [] { wanted[function.name] = .some(nil) }
        var answers: [KernelSurvey.KernelFunctionAnswer] = []
        for (name, module) in wanted {
            let known = KernelFunctionTable.entry(named: name)
            let found = answer(name, module: module)
            let support = KernelSurvey.support(forKernelFunction: name, module: module)
            // Functions for other programs are nobody's business here.
            guard support != .unsupported || known != nil else { continue }
            answers.append(
                KernelSurvey.KernelFunctionAnswer(
                    name: name, module: found.module, since: known?.since, support: support,
                    exists: found.exists))
        }
        return answers.sorted { $0.name < $1.name }
    }

    private struct Answer {
        var support: Support
        var exists: Bool?
        var module: String?
    }

    /// What can be in a module can also be in the kernel itself.
    private static func answer(_ name: String, module: String?) -> Answer {
        guard types(of: nil) != nil else {
            return Answer(
                support: KernelTypes.isThere
                    ? .unknown("the kernel's type information cannot be read")
                    : .unsupported,
                exists: nil, module: module)
        }
        if let id = id(of: name, in: nil) {
            return Answer(support: load(id, nil), exists: true, module: nil)
        }
        guard let module else { return Answer(support: .unsupported, exists: false, module: nil) }
        guard let id = id(of: name, in: module), let handle = KernelBTF.module(named: module) else {
            return Answer(
                support: .unknown("the module \(module) is not loaded, or its types are not to be seen"),
                exists: nil, module: module)
        }
        return Answer(support: load(id, handle), exists: true, module: module)
    }

    private static func load(_ id: UInt32, _ module: PreparedProgram.KernelModule?) -> Support {
        guard let id = Int32(exactly: id) else { return .unsupported }
        var request = KernelTrial.ProgramRequest([
            .call(kernelFunction: id, module: module == nil ? 0 : 1), .move(.r0, 2), .exit,
        ])
        request.module = module
        guard case .refused(let errno, let log) = KernelTrial.load(request) else { return .supported }
        // "calling kernel function bpf_x is not allowed", "calling kernel functions is not allowed" (5.13).
        if log.contains("calling kernel function"), log.contains("not allowed") { return .unsupported }
        // "JIT is required for calling kernel function", "JIT does not support calling kernel function".
        if log.contains("JIT ") { return .unsupported }
        // Before Linux 5.13: "BPF_CALL uses reserved fields".
        if log.contains("reserved fields") || log.contains("unrecognized bpf_ld_imm64") {
            return .unsupported
        }
        if !log.isEmpty { return .supported }
        if let obstacle = TrialBaseline.obstacle() { return .unknown(obstacle) }
        return .unknown("the trial failed: \(errno.description)")
    }

    private static func id(of name: String, in module: String?) -> UInt32? {
        guard let known = types(of: module) else { return nil }
        if let id = known.functions[name] { return id }
        // Neither marked nor known from elsewhere: the kernel may still have it.
        guard known.marked.isEmpty, KernelFunctionTable.entry(named: name) == nil, let kernel = KernelTypes()
        else { return nil }
        guard let module else { return kernel.function(name) }
        return KernelTypes(module: module, base: kernel)?.function(name)
    }

    /// The functions that may be asked for, and those that are marked, of the kernel or of a module.
    private static func types(of module: String?) -> Types? {
        if let known = modules.withLock({ $0[module ?? ""] }) { return known }
        guard let kernel = KernelTypes() else { return nil }
        var found = Types()
        let source: KernelTypes
        if let module {
            guard let own = KernelTypes(module: module, base: kernel) else { return nil }
            source = own
        } else {
            source = kernel
        }
        found.marked = source.markedFunctions()
        for function in found.marked { found.functions[function.name] = function.id }
        for entry in KernelFunctionTable.all where found.functions[entry.name] == nil {
            found.functions[entry.name] = source.function(entry.name)
        }
        modules.withLock { $0[module ?? ""] = found }
        return found
    }
}
