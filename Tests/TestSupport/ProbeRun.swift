// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Runs the helper `ObjectProbe` over mutants of an object, and tells which of them it died of.
public struct ProbeRun {
    /// Mutants that ended the process: their numbers and the signals.
    public private(set) var deaths: [(mutant: Int, signal: Int32)] = []
    /// How many were opened in spite of the damage.
    public private(set) var opened = 0

    /// - Parameter mode: "open", "prepare" or "inspect".
    public init(_ mode: String, _ object: String, seed: UInt64, first: Int = 0, count: Int) throws {
        let end = first + count
        var first = first
        while first < end, deaths.count < 20 {
            let process = Process()
            process.executableURL = Self.helper
            process.arguments = [mode, object, "\(seed)", "\(first)", "\(end - first)"]
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
            let last = lines.last ?? ""
            if last.hasPrefix("opened "), process.terminationStatus == 0 {
                opened += Int(last.dropFirst(7)) ?? 0
                return
            }
            let mutant = Int(last) ?? first
            deaths.append((mutant, process.terminationStatus))
            first = mutant + 1
        }
    }

    /// Beside the test bundle, where the build puts it.
    private static var helper: URL {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
        return URL(fileURLWithPath: bundle ?? own).deletingLastPathComponent()
            .appendingPathComponent("ObjectProbe")
    }
}
