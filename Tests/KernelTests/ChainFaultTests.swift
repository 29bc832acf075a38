// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// Every call into the kernel fails once in every kind of change; a process of its own does it, because the
/// door is the process's. Needs root.
@Suite("Changes in which a call into the kernel fails")
struct ChainFaultTests {
    enum Change: String, CaseIterable, Sendable {
        case firstLoad, load, replace, unload, lastUnload
        /// With programs of their own, and in chains of several programs.
        case isolatedLoad, isolatedReplace, isolatedUnload, segmentedLoad
        /// Captures that start and end, and what was left by some.
        case firstTap, tap, untap, lastUntap, loadAfterDead, firstLoadAfterDead
    }

    @Test(
        "a change in which any one call fails has an error, the old chain, and nothing left over",
        arguments: Change.allCases)
    func sweep(_ change: Change) throws {
        let bench = try ChainBench()
        let marked = try MarkedObject()

        let result = try Subprocess.worker(
            bench, "near", ["fail", marked.mark] + marked.words(for: change)
        ).wait(seconds: 240)

        #expect(result.status == 0, "\(result)")
    }
}

/// Two copies of the fixture `tail_static` whose names nobody else has; the names of their maps begin like
/// that of their file, which tells them apart from those of tests beside this one. The program passes, or
/// drops if its program array is empty.
struct MarkedObject {
    let mark: String
    let file: TemporaryFile
    let other: TemporaryFile

    init() throws {
        let letters = (0..<7).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "a" }
        mark = "m" + String(letters)
        file = try TemporaryFile(copying: Fixture.path("tail_static"), name: "\(mark)-1.o")
        other = try TemporaryFile(copying: Fixture.path("tail_static"), name: "\(mark)-2.o")
    }

    /// What has to be loaded before a change, and the change.
    func steps(for change: ChainFaultTests.Change) throws -> (before: [[String]], change: [String]) {
        let transmit = ["load", "tx", try Fixture.path("tx")]
        let load = ["load", "marked", file.path, "first"]
        let isolate = ["isolate", "marked", file.path]
        let functions = try Fixture.path("functions")
        let segments = [transmit, ["load", "a", functions, "first"], ["load", "b", functions, "first"]]
        return switch change {
        case .firstLoad: ([], load)
        case .load: ([transmit], load)
        case .replace: ([transmit, load], ["replace", "marked", other.path])
        case .unload: ([transmit, load], ["unload", "marked"])
        case .lastUnload: ([load], ["unload", "marked"])
        case .isolatedLoad: ([transmit], isolate)
        case .isolatedReplace: ([transmit, isolate], ["replace", "marked", other.path])
        case .isolatedUnload: ([transmit, isolate], ["unload", "marked"])
        case .segmentedLoad: (segments, load)
        case .firstTap: ([], ["tap", mark])
        case .tap: ([transmit], ["tap", mark])
        case .untap: ([transmit, ["tap", mark]], ["untap", mark])
        case .lastUntap: ([["tap", mark]], ["untap", mark])
        case .loadAfterDead: ([transmit, ["tap", mark], ["orphan"]], load)
        case .firstLoadAfterDead: ([["tap", mark], ["orphan"]], load)
        }
    }

    /// The same as arguments of the worker.
    func words(for change: ChainFaultTests.Change) throws -> [String] {
        let steps = try steps(for: change)
        return steps.before.flatMap { ["setup"] + $0 } + ["then"] + steps.change
    }
}
