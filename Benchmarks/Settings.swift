// SPDX-License-Identifier: Apache-2.0

/// What was asked for on the command line.
struct Settings {
    /// The command that is measured.
    var command = ".build/static/release/xdpctl"
    /// How often everything is measured; the fastest counts.
    var rounds = 15
    /// Packets in one measurement.
    var repeats: UInt32 = 100_000
    /// Random chains for the verifier.
    var chains = 300
    /// Runs of each command.
    var runs = 40
    var isVerbose = false
    /// Instead of all that, count what hops cost in instructions.
    var countsInstructions = false
    /// Sections by number; empty for all.
    var sections: Set<Int> = []

    static let usage = """
        usage: Benchmarks [--xdpctl PATH] [--quick] [--verbose] [SECTION…]
          1 packets  2 hops  3 counters  4 verifier  5 changes  6 commands  7 linking  8 ladder  9 filters
          10 captures, events  11 statistics
               Benchmarks --hops-by-instruction   (see `make bench-kernels`)
        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--xdpctl":
                guard let path = rest.popFirst() else { throw BenchmarkError(Self.usage) }
                command = path
            case "--quick":
                (rounds, chains, runs) = (3, 30, 10)
            case "--verbose": isVerbose = true
            case "--hops-by-instruction": countsInstructions = true
            default:
                guard let section = Int(word) else { throw BenchmarkError(Self.usage) }
                sections.insert(section)
            }
        }
    }

    func wants(_ section: Int) -> Bool { sections.isEmpty || sections.contains(section) }
}
