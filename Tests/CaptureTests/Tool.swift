// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Another program that reads capture files.
enum Tool {
    /// What it printed; complaints about who runs it are left out.
    struct Result {
        var status: Int32
        var output: String
        var errors: String
        var lines: [String] {
            output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        }
    }

    static func run(_ name: String, _ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [name] + arguments
        // Whatever the user of the tests has set up for himself.
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "TZ": "UTC"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // What a tool complains of is short.
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let complaints = String(
            decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let relevant = complaints.split(separator: "\n").filter {
            !$0.hasPrefix("Running as user \"root\"") && !$0.hasPrefix("reading from file ")
        }
        return Result(
            status: process.terminationStatus, output: text, errors: relevant.joined(separator: "\n"))
    }

    /// Fields of every packet, as tshark sees them.
    static func fields(_ path: String, _ names: String...) throws -> Result {
        try run(
            "tshark", ["-n", "-r", path, "-T", "fields", "-E", "separator=|"] + names.flatMap { ["-e", $0] })
    }
}

/// A directory that goes with the test.
final class Scratch {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/capture-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: self(name))))
    }
}
