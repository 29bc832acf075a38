// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import TestSupport
import XDP

/// `ObjectProbe open|prepare|inspect OBJECT SEED FIRST COUNT`
///
/// Opens mutants of an object, and says which one before it does, so that whoever started it knows which one
/// it died of. `prepare` also has libbpf make the maps and relocate the program, `inspect` looks into every program (root).
@main
enum ObjectProbe {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let bytes = read(arguments[2]), let seed = UInt64(arguments[3]),
            let first = Int(arguments[4]), let count = Int(arguments[5])
        else { exit(2) }
        var opened = 0
        for number in first..<(first + count) {
            say("\(number)\n")
            // A hang ends in SIGALRM.
            alarm(20)
            let mutant = ObjectMutator.mutate(bytes, seed: seed, number: number)
            if probe(mutant, arguments[1]) { opened += 1 }
        }
        say("opened \(opened)\n")
    }

    private static func probe(_ bytes: [UInt8], _ mode: String) -> Bool {
        if mode == "inspect" { return inspect(bytes) }
        do throws(BPFError) {
            let object = try ObjectFile(bytes: bytes, name: "mutant.o")
            for program in object.programs {
                _ = object.runConfiguration(of: program.name)
                _ = object.calls("bpf_throw", from: program.name)
            }
            for variable in object.variableNames() {
                do throws(BPFError) { try object.setVariable(variable, to: "1") } catch {}
            }
            guard mode == "prepare", let program = object.programs.first(where: \.isXDP)?.name else {
                return true
            }
            // A size that a bit flip made enormous would really be allocated.
            guard object.maps.allSatisfy({ $0.definition.isSmall }) else { return true }
            object.ignorePins()
            _ = try object.prepare(program: program, calleesHaveFrags: false)
            return true
        } catch {
            return false
        }
    }

    private static func inspect(_ bytes: [UInt8]) -> Bool {
        do throws(BPFError) {
            let object = try ObjectFile(bytes: bytes, name: "mutant.o")
            guard object.maps.allSatisfy({ $0.definition.isSmall }) else { return true }
        } catch {
            return false
        }
        return (try? ProgramInspector.inspect(bytes: bytes, path: "mutant.o")) != nil
    }

    private static func say(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let size = bytes.count
        let count = bytes.withUnsafeMutableBytes { fread($0.baseAddress, 1, size, file) }
        return Array(bytes.prefix(count))
    }
}

extension MapDefinition {
    fileprivate var isSmall: Bool {
        let entry = UInt64(keySize) + UInt64(valueSize) + 64
        return entry < 1 << 24 && UInt64(maximumEntries) * entry < 64 << 20
    }
}
