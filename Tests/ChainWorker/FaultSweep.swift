// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import SystemPackage
import TestSupport
import XDP

/// Lets every call into the kernel fail in turn, one in each run of an operation, and looks each time whether
/// the interface is as it was and nothing was left behind.
struct FaultSweep {
    private let interface: String
    /// What the names of the objects' maps of variables begin with; no other process has such maps.
    private let mark: String
    private let setup: [Operation]
    private let operation: Operation
    /// The program arrays of all chains so far.
    private var arrays: Set<UInt32> = []

    /// What can be seen of the interface from outside.
    private struct Snapshot: Equatable {
        var program: UInt32?
        var members: [String] = []
        /// The programs of members that have their own.
        var separate: [UInt32] = []
        /// Those whose owner is there.
        var taps: [String] = []
        var isClosed = false
    }

    /// `[setup OPERATION…]… then OPERATION…`
    init?(_ words: some Sequence<String>, on interface: String, mark: String) {
        var steps: [[String]] = []
        var last: [String]?
        for word in words {
            if word == "setup" {
                steps.append([])
            } else if word == "then" {
                last = []
            } else if last != nil {
                last?.append(word)
            } else if !steps.isEmpty {
                steps[steps.count - 1].append(word)
            }
        }
        setup = steps.compactMap { Operation($0) }
        guard setup.count == steps.count, let last, let operation = Operation(last) else { return nil }
        self.operation = operation
        self.interface = interface
        self.mark = mark
    }

    /// Returns whether all went well; what did not is printed.
    mutating func run(with errors: [Errno]) throws -> Bool {
        var isGood = true
        var number = 1
        // What the library opens once for all is open from here on.
        try prepare()
        try operation.perform(on: interface)
        while true {
            try prepare()
            let error = errors[number % errors.count]
            let door = Door(at: number, .fail(error))
            let complaints = try attempt(door)
            guard door.calls >= number else { break }
            for complaint in complaints {
                print("call \(number), \(door.chosen) fails with \(error.name): \(complaint)")
                isGood = false
            }
            number += 1
        }
        try reset()
        if !settles({ try markedMaps().isEmpty }) {
            print("at the end maps are left over: \(try markedMaps().sorted())")
            isGood = false
        }
        print("\(number - 1) calls")
        return isGood && number > 10
    }

    private mutating func attempt(_ door: Door) throws -> [String] {
        var complaints: [String] = []
        let before = try snapshot()
        let maps = try markedMaps()
        let descriptors = Descriptors.open()
        var failure: XDPError?
        var report: ChangeReport?
        do throws(XDPError) {
            report = try door.watch { () throws(XDPError) in try operation.perform(on: interface) }
        } catch {
            failure = error
        }
        if let report { try remember(report) }
        let after = try snapshot()
        if Descriptors.open() != descriptors {
            complaints.append("descriptors leak: \(Descriptors.open().symmetricDifference(descriptors))")
        }
        if let failure {
            if after != before, !after.isClosed { complaints.append("an error, yet changed: \(failure)") }
            if failure.why.isEmpty { complaints.append("an error without words") }
            if after == before, !settles({ try markedMaps().isSubset(of: maps) }) {
                complaints.append("maps are left over: \(try markedMaps().subtracting(maps))")
            }
            if after.isClosed {
                // The members are gone; the next command takes the rest off, and has nothing to unload.
                _ = try? operation.perform(on: interface)
            } else {
                do {
                    try remember(try operation.perform(on: interface))
                } catch {
                    complaints.append("\(failure); and then the next command: \(error)")
                }
            }
        } else {
            try releaseArrays()
        }
        let final = try snapshot()
        if final == before { complaints.append("no error, and nothing changed") }
        if final.isClosed { complaints.append("no error, and a closed chain") }
        return complaints
    }

    private mutating func prepare() throws {
        try reset()
        for step in setup { try remember(try step.perform(on: interface)) }
    }

    private mutating func reset() throws {
        if case .chain = try Interface(named: interface).occupant() {
            try Operation.clear.perform(on: interface)
        }
    }

    private func snapshot() throws -> Snapshot {
        guard case .chain(let active) = try Interface(named: interface).occupant() else { return Snapshot() }
        let chain = active.manifest.chain
        let taps = chain.taps.filter { $0.hasOwner() }.map(\.name)
        // What captures left behind may go at any time.
        if chain.loan != nil, taps.isEmpty { return Snapshot() }
        return Snapshot(
            program: active.programID, members: chain.members.map(\.name),
            separate: chain.members.compactMap(\.separate?.programID), taps: taps,
            isClosed: active.manifest.isClosed)
    }

    /// The maps of variables in the kernel whose name has the mark. Programs hold them, and the callees in a
    /// program array do: nothing that should be gone is overlooked. (Program arrays themselves are not looked
    /// for: opened by id at the wrong moment, the kernel never frees them; `prog_array_map_clear` takes a
    /// reference too many when it is called twice before its work runs.)
    private func markedMaps() throws -> Set<UInt32> {
        var found: Set<UInt32> = []
        for id in try KernelIDs.maps() {
            guard let map = try? BPFMap(id: id) else { continue }
            if try map.information().definition.name.hasPrefix(mark) { found.insert(id) }
        }
        return found
    }

    private mutating func remember(_ report: ChangeReport) throws {
        arrays.formUnion(report.chain.members.flatMap(\.programArrayIDs))
        arrays.formUnion(try usedArrays())
    }

    /// The program arrays of the chain that runs.
    private func usedArrays() throws -> Set<UInt32> {
        guard case .chain(let active) = try Interface(named: interface).occupant() else { return [] }
        let segments = active.manifest.segmentArray
        return Set(active.manifest.chain.members.flatMap(\.programArrayIDs))
            .union(segments == 0 ? [] : [segments])
    }

    /// Does what the next commands do once a minute has passed: pins of program arrays that a change could
    /// not remove after its swap are no reason to fail, and are swept later.
    private func releaseArrays() throws {
        for id in arrays.subtracting(try usedArrays()) {
            try BPFFileSystem.unpin("\(BPFFileSystem.find().root)/xdpctl/array-\(id)")
        }
    }

    /// The kernel frees maps some time after their last use.
    private func settles(_ condition: () throws -> Bool) -> Bool {
        for _ in 0..<100 {
            usleep(30_000)
            if (try? condition()) == true { return true }
        }
        return false
    }
}
