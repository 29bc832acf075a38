// SPDX-License-Identifier: Apache-2.0
import BPF

/// Programs that tail calls lead to, as the program arrays hold them now, and so on through their own.
struct TailCallReach {
    /// One program of an array.
    struct Entry {
        /// The place of the array in the maps of the caller.
        var map: Int
        var key: UInt32
        var programID: UInt32
    }

    /// A program that packets can get to.
    struct Reached {
        var id: UInt32
        var code: ProgramCode
        var analysis: ProgramAnalysis
    }

    /// More programs are not followed.
    private static let mostPrograms = 64
    /// More places of an array are not looked at.
    private static let mostEntries: UInt32 = 4096

    /// In the order in which they were met.
    private(set) var programs: [Reached] = []
    /// Whether these are all: every array and program could be read.
    private(set) var isComplete = true

    /// Follows what a program's tail calls lead to; the program itself is left out.
    init(of analysis: ProgramAnalysis, mapIDs: [UInt32]) {
        let (entries, isComplete) = Self.entries(of: analysis, mapIDs: mapIDs)
        self.init(from: Set(entries.map(\.programID)).sorted())
        self.isComplete = self.isComplete && isComplete
    }

    /// Follows what programs lead to, themselves included.
    init(from ids: [UInt32]) {
        var open = ids
        var seen = Set(ids)
        while let id = open.popLast() {
            guard programs.count < Self.mostPrograms else {
                isComplete = false
                return
            }
            let code: ProgramCode
            do throws(XDPError) {
                code = try LoadedCode(programID: id).code
            } catch {
                isComplete = false
                continue
            }
            let analysis = ProgramAnalysis(of: code)
            programs.append(Reached(id: id, code: code, analysis: analysis))
            let (entries, isComplete) = Self.entries(of: analysis, mapIDs: code.mapIDs)
            self.isComplete = self.isComplete && isComplete
            for entry in entries where seen.insert(entry.programID).inserted { open.append(entry.programID) }
        }
    }

    /// Everything that these programs can return; nil where not all are known.
    var verdicts: Set<Verdict>? {
        isComplete ? programs.reduce([]) { $0.union($1.analysis.verdictSet) } : nil
    }

    /// What the arrays hold that a program's tail calls name.
    ///
    /// - Returns: the entries, and whether these are all.
    static func entries(
        of analysis: ProgramAnalysis, mapIDs: [UInt32]
    ) -> (found: [Entry], isComplete: Bool) {
        var found: [Entry] = []
        var isComplete = analysis.tailCalls.allSatisfy { $0.map != nil }
        for map in Set(analysis.tailCalls.compactMap(\.map)).sorted() {
            guard mapIDs.indices.contains(map), let handle = try? MapHandle(id: mapIDs[map]) else {
                isComplete = false
                continue
            }
            let named: Set<UInt32>? = analysis.tailCalls.filter { $0.map == map }.reduce([]) { known, call in
                guard let known, let more = call.entries else { return nil }
                return known.union(more)
            }
            let size = handle.definition.maximumEntries
            if named == nil, size > mostEntries { isComplete = false }
            // Beyond the array's end there is nothing to call.
            for key in named?.sorted().filter({ $0 < size }) ?? Array(0..<min(size, mostEntries)) {
                do throws(BPFError) {
                    guard let id = try handle.map.programID(at: Int(key)) else { continue }
                    found.append(Entry(map: map, key: key, programID: id))
                } catch {
                    // Some kernels say ENOENT of an empty place.
                    if error.errno != .noSuchFileOrDirectory { isComplete = false }
                }
            }
        }
        return (found, isComplete)
    }
}
