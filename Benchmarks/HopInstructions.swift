// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Netlink
import TestSupport
import XDP

/// Instructions that a packet costs in chains put together in different ways, counted exactly.
///
/// It counts only where one instruction takes one nanosecond of the machine's time, in QEMU with `-icount`
/// (`Scripts/run-in-vm --icount`); anywhere else it measures nanoseconds, and not exactly. Two rules make it exact.
/// A program is attached first, or each test run would have the kernel rewrite its own dispatcher of XDP programs.
/// And two numbers of repetitions are subtracted from each other, each the least of many windows that are shorter
/// than the time between two ticks of the timer, so that nothing but the program's own instructions is left.
struct HopInstructions {
    /// A way of putting programs behind each other.
    ///
    /// A new one needs a case here, and a way of attaching it in `instructions(of:_:count:)`.
    enum Composition: String, CaseIterable {
        case inlined
        case called
        case isolated
        case segment = "segments"
        case libxdp = "libxdp's dispatcher"
    }

    /// What stands behind each other: fixtures, and how the table calls them.
    private static let programs = [
        ("pass", "`return XDP_PASS`"), ("choose", "verdict read from the packet"),
    ]
    private static let counts = [1, 2, 4, 8]

    /// `choose` passes what goes to an address that ends with 2.
    private static let packet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0] + [UInt8](repeating: 0, count: 46)

    private let interface: Interface

    init() throws {
        try Sandbox.enterNetwork()
        interface = try Interface(named: Sandbox.interface)
    }

    /// Prints a line for each row of the table, its cells separated by tabs: program, composition, and the
    /// instructions above those of an empty program for each number of programs.
    func show() throws {
        let empty = ProgramImage(name: "empty", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let nothing = try instructions(of: try Program.load(empty).take())
        for (fixture, title) in Self.programs {
            for composition in Composition.allCases {
                var cells = [title, composition.rawValue]
                for count in Self.counts {
                    cells.append("\(try instructions(of: composition, fixture, count: count) - nothing)")
                }
                print(cells.joined(separator: "\t"))
            }
        }
    }

    // MARK: What is counted

    private func instructions(of composition: Composition, _ fixture: String, count: Int) throws -> Int {
        let path = try Fixture.path(fixture)
        switch composition {
        case .inlined, .called, .isolated, .segment:
            let built = try MemberBuilder().build(LoadRequest(path: path))
            let members = (0..<count).map { place in
                var member = built.member
                member.name = "\(fixture)\(place)"
                return member
            }
            var chain = Chain(members: members)
            let maps = MapPool()
            maps.add(built.maps)
            let loader = ChainLoader(maps: maps)
            let names = Set(members.map(\.name))
            if composition == .called {
                var linker = Linker(limits: .oldest)
                linker.calledMembers = names
                return try instructions(
                    of: try loader.load(try linker.link(chain, counting: .none), of: chain).take())
            }
            let loaded = try loader.load(
                &chain, counting: .none, isolating: composition == .isolated ? names : [],
                cutAt: composition == .segment && count > 1 ? Set(1..<count) : [])
            defer { withExtendedLifetime(maps) {} }
            return try instructions(of: loaded.take())
        case .libxdp:
            let objects = [String](repeating: path, count: count)
            try ChildProcess.succeed(["xdp-loader", "load", "--mode", "native", interface.name] + objects)
            defer { _ = try? ChildProcess.run(["xdp-loader", "unload", interface.name, "--all"]) }
            guard let id = try Interface(named: interface.name).link.xdp?.programID else {
                throw BenchmarkError("xdp-loader has attached nothing")
            }
            return try measure(Program(id: id))
        }
    }

    /// Attaches a program for as long as it is counted.
    private func instructions(of program: consuming Program) throws -> Int {
        let link = try XDPLink(attaching: program, toInterface: interface.index, mode: .native)
        defer { withExtendedLifetime(link) {} }
        return try measure(program)
    }

    // MARK: How

    private static let few: UInt32 = 100
    private static let many: UInt32 = 300
    private static let windows = 40

    /// Instructions for one packet, with those of the test run around the program.
    private func measure(_ program: borrowing Program) throws -> Int {
        // The first runs bring into memory what is not there yet.
        for _ in 0..<3 { try check(program) }
        let difference = try least(program, Self.many) - least(program, Self.few)
        let repeats = Int(Self.many - Self.few)
        // Off an instruction counter the numbers are not exact anyway.
        return (difference + repeats / 2) / repeats
    }

    private func check(_ program: borrowing Program) throws {
        let run = try program.testRun(Self.packet, repeats: Self.many)
        guard run.verdict == Verdict.pass.rawValue else {
            throw BenchmarkError("a chain of passing programs returned \(run.verdict)")
        }
    }

    private func least(_ program: borrowing Program, _ repeats: UInt32) throws -> Int {
        var least = Int.max
        for _ in 0..<Self.windows {
            let start = Self.now()
            _ = try program.testRun(Self.packet, repeats: repeats)
            least = min(least, Self.now() - start)
        }
        return least
    }

    /// Nanoseconds of a clock that nobody sets right.
    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
