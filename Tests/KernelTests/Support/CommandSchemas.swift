// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// Which schema what a command prints with `--json` has to follow.
enum CommandSchemas {
    /// By command, in words; every one of them can also print a failure.
    static let all: [String: [String]] = [
        "status": ["status", "namespaces"],
        "load": ["change"], "unload": ["change"], "move": ["change"], "edge": ["change"],
        "replace": ["change"], "adopt": ["change"], "release": ["change"], "counters": ["change"],
        "fallback": ["change"],
        "apply": ["apply"], "export": ["file"],
        "features": ["features", "features-event", "kernel-features"],
        "inspect": ["inspect"],
        "monitor": ["monitor"], "stats": ["stats"], "top": ["top"],
        "doctor": ["doctor"],
        "explain": ["explain"],
        "lab up": ["lab"], "lab down": ["lab"], "lab status": ["lab", "status"], "lab send": ["lab-send"],
        "filter apply": ["filter-change"], "filter add": ["filter-change"],
        "filter delete": ["filter-change"], "filter list": ["filter-list"],
        "filter stats": ["filter-stats"], "filter confirm": ["filter-settlement"],
        "filter revert": ["filter-settlement"], "filter remove": ["change"],
        "filter check": ["filter-check"], "filter test": ["filter-test"],
        "filter explain": ["filter-explain"], "filter import": ["filter-import"],
        "filter log": ["filter-log"],
        "filter set add": ["filter-set-change"], "filter set delete": ["filter-set-change"],
        "filter set flush": ["filter-set-change"], "filter set list": ["filter-set-list"],
        "filter set test": ["filter-set-test"],
        "capture": ["capture", "capture-list"],
        // Prints what the command that it runs prints.
        "lab exec": [],
    ]

    /// Holds what was printed against the schemas of the command; what is wrong becomes an issue of the test.
    static func check(_ words: [String], _ result: Subprocess.Result) throws {
        guard words.contains("--json"), !result.output.isEmpty else { return }
        // `filter set list` has three words, `status` one.
        let command =
            (1...3).reversed().map { words.prefix($0).joined(separator: " ") }.first { all[$0] != nil } ?? ""
        guard let names = all[command] else {
            Issue.record("there is no schema for \(command)")
            return
        }
        let documents = try JSONSchema.documented()
        let value = try JSONValue(parsing: result.output)
        var problems: [[String]] = []
        // An `apply` of which a part failed says so in its own output.
        let isFailure = result.status != 0 && value["error"] != nil
        for name in isFailure ? ["failure"] : names {
            problems.append(try JSONSchema("\(name).json", in: documents).problems(value))
        }
        #expect(problems.contains([]), "\(words): \(problems)\n\(result)")
    }
}
