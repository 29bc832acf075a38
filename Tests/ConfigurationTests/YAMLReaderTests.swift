// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Configuration

/// The plain part of YAML, and what is refused.
@Suite("Reading YAML")
struct YAMLReaderTests {
    private func failure(_ text: String) -> YAMLReader.Failure? {
        do throws(YAMLReader.Failure) {
            _ = try YAMLReader.read(Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test("values, lists and mappings come with the place where they stand")
    func places() throws {
        let root = try #require(try YAMLReader.read(Array("a: 1\nb:\n  - x\n  - { c: \"null\" }\n".utf8)))
        guard case .mapping(let entries) = root.content, case .sequence(let items) = entries[1].value.content,
            case .mapping(let inner) = items[1].content
        else {
            Issue.record("\(root)")
            return
        }
        #expect(entries.map(\.key) == ["a", "b"])
        #expect(entries[0].value.content == .scalar("1", isPlain: true))
        #expect(entries[0].value.place == SourcePlace(line: 1, column: 4))
        #expect(items[0].place == SourcePlace(line: 3, column: 5))
        #expect(inner[0].value.content == .scalar("null", isPlain: false))
        #expect(!inner[0].value.isNull)
        #expect(inner[0].value.place == SourcePlace(line: 4, column: 10))
    }

    @Test(
        "an empty text, comments and an empty document have no root", arguments: ["", "# nothing\n", "\n\n"])
    func empty(_ text: String) throws {
        #expect(try YAMLReader.read(Array(text.utf8)) == nil)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int
        let column: Int
        let what: String
        var testDescription: String { what }
    }

    @Test(
        "what is not understood is refused with its place",
        arguments: [
            Bad(text: "a: &x 1\n", line: 1, column: 4, what: "anchors"),
            Bad(text: "a: 1\nb: *a\n", line: 2, column: 4, what: "aliases"),
            Bad(text: "a: !!binary AA==\n", line: 1, column: 4, what: "tag"),
            Bad(text: "a: 1\nb: 2\na: 3\n", line: 3, column: 1, what: "a stands here twice, first on line 1"),
            Bad(text: "? [a]\n: b\n", line: 1, column: 3, what: "cannot be a key"),
            Bad(text: "a: 1\n---\nb: 1\n", line: 3, column: 1, what: "second document"),
            Bad(text: "a: [1, 2\nb: 3\n", line: 2, column: 2, what: "begins on line 1"),
            Bad(text: "a:\n\t- 1\n", line: 2, column: 1, what: "cannot start any token"),
            Bad(text: "a: \"x\n", line: 2, column: 1, what: "quoted scalar"),
        ])
    func refused(_ bad: Bad) {
        let failure = failure(bad.text)
        #expect(
            failure?.place == SourcePlace(line: bad.line, column: bad.column),
            "\(String(describing: failure))")
        #expect(failure?.what.contains(bad.what) == true, "\(String(describing: failure))")
    }

    @Test("bytes that are no text are refused with their place")
    func bytes() {
        do throws(YAMLReader.Failure) {
            _ = try YAMLReader.read(Array("a: 1\nb: ".utf8) + [0xff, 0x0a])
            Issue.record("it was read")
        } catch {
            #expect(error.place == SourcePlace(line: 2, column: 4))
            #expect(error.what.contains("no text"))
        }
    }

    @Test("what is too large, too deep or too much is refused at once")
    func limits() {
        #expect(
            failure(String(repeating: "#", count: YAMLReader.largestText + 1))?.what.contains("1 MiB") == true
        )
        #expect(failure(String(repeating: "[", count: 100_000))?.what.contains("too deeply") == true)
        #expect(failure(String(repeating: "- ", count: 100_000))?.what.contains("too deeply") == true)
        #expect(
            failure("[" + String(repeating: "a,", count: 200_000) + "]")?.what.contains("too many") == true)
    }

    @Test(
        "a text that is written for YAML is read as it was",
        arguments: [
            "", " ", "a", "null", "~", "on", "no", "1", "1.5", "0x10", "-", "- a", "a: b", "a #b", "#",
            "\"q\"",
            "it's", "\\", "\n", "a\nb", "\t", "\u{7}", "\u{85}", "ä", "→", "\u{1F600}", "\u{feff}",
            "\u{2028}",
            "{a}", "[a]", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "?", ":", ",", "a,b", "/sys/fs/bpf/x",
            "id:42",
            ".rodata", "---", "...", "a]", "a}", "\u{10ffff}", "\u{fffe}", "\u{e000}", "\u{7f}",
        ])
    func quoting(_ text: String) throws {
        let written = "[\(YAMLText.quoted(text))]\n\(YAMLText.quoted(text)): \(YAMLText.value(text))\n"
            .split(separator: "\n", maxSplits: 1)
        for line in written {
            let root = try #require(try YAMLReader.read(Array(line.utf8)))
            switch root.content {
            case .sequence(let items): #expect(items.map(\.content.text) == [text])
            case .mapping(let entries):
                #expect(entries.map(\.key) == [text])
                #expect(entries.map(\.value.content.text) == [text])
            case .scalar: Issue.record("\(line)")
            }
        }
    }

    @Test("what other readers take for a number, a truth value or nothing is written in quotes")
    func reserved() {
        for text in ["1", "0x10", "null", "Off", "no", "~", "", "1e3", ".5"] {
            #expect(YAMLText.quoted(text).hasPrefix("\""), "\(text)")
        }
        #expect(YAMLText.value("12") == "12")
        #expect(YAMLText.value("-1") == "-1")
        #expect(YAMLText.value("true") == "true")
        #expect(YAMLText.value("012") == "\"012\"")
        #expect(YAMLText.value("0x1") == "\"0x1\"")
    }
}

extension YAMLNode.Content {
    /// The text of a scalar.
    var text: String? {
        if case .scalar(let text, _) = self { text } else { nil }
    }
}
