// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Capture
import Glibc
import Netlink
import SystemPackage
import XDP

/// What the tests of the kernel need a process of its own for.
///
///     ChainWorker NAMESPACE INTERFACE kill N OPERATION…
///     ChainWorker NAMESPACE INTERFACE fail MARK [setup OPERATION…]… then OPERATION…
///     ChainWorker NAMESPACE INTERFACE fail-adoption adopt|release|tap|untap
///     ChainWorker NAMESPACE INTERFACE churn PREFIX COUNT OBJECT
///     ChainWorker NAMESPACE INTERFACE hold
///     ChainWorker NAMESPACE INTERFACE probe N
///     ChainWorker NAMESPACE INTERFACE guard MAP wait|exit|exec|abort
///     ChainWorker NAMESPACE INTERFACE capture POINTS
///
/// Exit status: 0 done, 1 an error (on standard error), 2 wrong arguments.
@main
enum Worker {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        guard words.count >= 3 else { exit(2) }
        do {
            try NetworkNamespace(parsing: words[0]).enter()
            exit(try run(words[2], on: words[1], Array(words.dropFirst(3))))
        } catch {
            let text = Array("\(error)\n".utf8)
            _ = write(STDERR_FILENO, text, text.count)
            exit(1)
        }
    }

    private static func run(_ mode: String, on interface: String, _ words: [String]) throws -> Int32 {
        switch mode {
        case "kill":
            guard let number = words.first.flatMap({ Int($0) }),
                let operation = Operation(Array(words.dropFirst()))
            else { return 2 }
            let door = Door(at: number, .kill, skipsLooks: operation.hasLongEnd)
            try door.watch { () throws(XDPError) in _ = try operation.perform(on: interface) }
            return 0
        case "fail":
            guard let mark = words.first, var sweep = FaultSweep(words.dropFirst(), on: interface, mark: mark)
            else { return 2 }
            return try sweep.run(with: [.notPermitted, .noMemory, .ioError]) ? 0 : 1
        case "fail-adoption":
            guard let word = words.first, let sweep = try AdoptionSweep(word, on: interface) else { return 2 }
            return try sweep.run(with: [.notPermitted, .noMemory, .ioError]) ? 0 : 1
        case "churn":
            guard words.count == 3, let count = Int(words[1]) else { return 2 }
            try churn(prefix: words[0], count: count, object: words[2], on: interface)
            return 0
        case "hold":
            try hold(interface)
            return 0
        case "probe":
            guard let number = words.first.flatMap({ Int($0) }) else { return 2 }
            try ProbeKill(at: number).run(on: interface)
            return 0
        case "guard":
            guard words.count == 2, let map = UInt32(words[0]), let end = GuardEnd(rawValue: words[1])
            else { return 2 }
            try end.reach(map: map)
            return 0
        case "capture":
            guard let points = words.first else { return 2 }
            try capture(points, on: interface)
            return 0
        default: return 2
        }
    }

    /// Captures until it is killed.
    private static func capture(_ points: String, on interface: String) throws(XDPError) {
        var request = CaptureRequest()
        request.purpose = "a test"
        request.selection = TapSelection(start: points.contains("start"), end: points.contains("end"))
        let session = try CaptureSession(request, on: try Interface(named: interface))
        while case .running = try session.read(milliseconds: 1000, { _, _ in }) {}
    }

    /// Holds the interface by a link with a program of its own, as other loaders do, until it is killed.
    private static func hold(_ interface: String) throws {
        let image = ProgramImage(name: "held", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let program = try Program.load(image).take()
        let link = try XDPLink(
            attaching: program, toInterface: Interface(named: interface).index, mode: .native)
        sleep(60)
        withExtendedLifetime((program.descriptor.rawValue, link.descriptor.rawValue)) {}
    }

    /// Four changes for each member: it is loaded, and three edges of it are set.
    private static func churn(
        prefix: String, count: Int, object: String, on interface: String
    ) throws(XDPError) {
        var editor = ChainEditor(try Interface(named: interface))
        editor.overridesChecks = true
        var retries = 0
        for number in 0..<count / 4 {
            var request = LoadRequest(path: object)
            request.name = "\(prefix)\(number)"
            retries += try editor.load([request]).retries
            for verdict in [Verdict.aborted, .drop, .tx] {
                retries += try editor.setEdges("\(prefix)\(number)", [verdict: .next]).retries
            }
        }
        print("\(retries) retries")
    }
}
