// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Doctor

/// Programs of others, however they behave. Any user may run these.
@Suite("Running the tools of others")
struct ToolRunnerTests {
    private func failure(_ arguments: [String], seconds: Int = 10) throws -> String? {
        let shell = try #require(ToolRunner.find("sh"))
        do throws(ToolRunner.Failure) {
            _ = try ToolRunner.output(of: shell, arguments, seconds: seconds)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("what it prints is read, on both outputs, and it has nothing to read")
    func output() throws {
        let shell = try #require(ToolRunner.find("sh"))
        let output = try ToolRunner.output(of: shell, ["-c", "echo one; echo two >&2; cat"])
        #expect(String(decoding: output, as: UTF8.self) == "one\ntwo\n")
    }

    @Test("one that takes too long is ended, and so is one that never stops to print")
    func tooLong() throws {
        let start = ContinuousClock.now
        #expect(
            try failure(["-c", "exec sleep 100"], seconds: 1)?.contains("did not end within 1 seconds")
                == true)
        #expect(try failure(["-c", "while :; do echo x; done"], seconds: 1)?.contains("did not end") == true)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("one that fails, or cannot be started, is told")
    func failing() throws {
        #expect(try failure(["-c", "exit 7"])?.contains("failed with status 7") == true)
        #expect(try failure(["-c", "kill -9 $$"])?.contains("was ended by a signal") == true)
        #expect(throws: ToolRunner.Failure.self) { try ToolRunner.output(of: "/nonexistent", []) }
    }

    @Test("no more is kept than there is room for")
    func bound() throws {
        let shell = try #require(ToolRunner.find("sh"))
        let output = try ToolRunner.output(of: shell, ["-c", "head -c 1000000 /dev/zero"])
        #expect(output.count == ToolRunner.limit)
    }

    @Test("a tool is a file that can be run, in a directory of the path")
    func find() {
        #expect(ToolRunner.find("sh")?.hasPrefix("/") == true)
        #expect(ToolRunner.find("no-such-tool-anywhere") == nil)
        // Directories are executable too.
        #expect(ToolRunner.find(".") == nil && ToolRunner.find("") == nil)
    }
}
