// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// The command as editors and scripts use it.
@Suite("xdpctl filter check")
struct FilterCheckTests {
    private static func file(_ index: Int, of value: JSONValue) -> JSONValue? {
        guard case .array(let files)? = value["files"], files.indices.contains(index) else { return nil }
        return files[index]
    }

    private static func finding(of file: JSONValue?) -> JSONValue? {
        guard case .array(let findings)? = file?["findings"] else { return nil }
        return findings.first
    }

    @Test("a file that can be used is summed up, also with warnings, which --strict refuses")
    func usable() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "rules.xdp",
            "set nets : prefix { 10.0.0.0/8 }\nrules {\n  drop src in @nets\n\tpass tcp\n  drop tcp dport 80\n  default pass\n}\n"
        )

        let plain = try Subprocess.xdpctl("filter", "check", path)
        let strict = try Subprocess.xdpctl("filter", "check", path, "--strict")
        let json = try Subprocess.xdpctl("filter", "check", path, "--json")

        #expect(plain.status == 0 && strict.status == 3 && json.status == 0)
        #expect(plain.output == strict.output)
        #expect(
            plain.output == """
                \(path):5:3: warning: no packet gets here: the rule in line 4 decides about all that match
                      drop tcp dport 80
                      ^
                    the rule for fewer packets stands first
                \(path): 3 rules, 1 set, default pass, 1 warning

                """)
        let value = try JSONValue(parsing: json.output)
        #expect(Self.file(0, of: value)?["is_usable"] == .bool(true))
        #expect(Self.finding(of: Self.file(0, of: value))?["rule"] == .string("unreachable"))
    }

    @Test("mistakes are printed with their source, and the status says that the file is wrong")
    func mistakes() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("rules.xdp", "rules {\n  drop tpc\n  default pass\n}\n")

        let plain = try Subprocess.xdpctl("filter", "check", path)
        let json = try Subprocess.xdpctl("filter", "check", path, path, "--json")

        #expect(plain.status == 2 && json.status == 2)
        #expect(
            plain.output == """
                \(path):2:8: error: tpc is no test
                      drop tpc
                           ^
                    did you mean tcp?

                """)
        let value = try JSONValue(parsing: json.output)
        #expect(Self.finding(of: Self.file(1, of: value))?["column"] == .integer(8))
    }

    @Test("a file that is not there is a failure")
    func missing() throws {
        let result = try Subprocess.xdpctl("filter", "check", "/tmp/xdp-test-none.xdp", "--json")
        #expect(result.status == 1)
    }

    @Test("what ipset saved becomes a file that can be checked")
    func imports() throws {
        let directory = try TemporaryDirectory()
        let saved = try directory.write(
            "saved", "create a hash:net\nadd a 10.0.0.0/8\nadd a 10.1.0.0/16 nomatch\n")
        let path = "\(directory.path)/imported.xdp"

        let plain = try Subprocess.xdpctl("filter", "import", "ipset", saved)
        let json = try Subprocess.xdpctl("filter", "import", "ipset", saved, "-o", path, "--json")
        let check = try Subprocess.xdpctl("filter", "check", path)

        #expect(plain.status == 0 && json.status == 0 && check.status == 0)
        #expect(plain.output.contains("set a : prefix { 10.0.0.0/8 }"))
        #expect(try JSONValue(parsing: json.output)["elements"] == .integer(1))
        #expect(check.output.contains("default pass, 1 warning"))
        #expect(try Subprocess.xdpctl("filter", "import", "nft-set", saved).status == 2)
    }
}
