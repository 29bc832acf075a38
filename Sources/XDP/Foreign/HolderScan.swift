// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Which processes hold programs and links, from `/proc/PID/fdinfo`.
///
/// It looks at every descriptor of every process, so it is made once for all programs that are asked for.
struct HolderScan {
    /// By program.
    private var holders: [UInt32: [Int32: ProgramHolder]] = [:]
    private var linkHolders: [UInt32: Set<Int32>] = [:]
    /// Processes that this one may not look into.
    private(set) var hiddenProcesses = 0

    init(programs: Set<UInt32> = [], links: Set<UInt32> = []) {
        guard !programs.isEmpty || !links.isEmpty else { return }
        for process in ProcessTable.all() {
            guard let descriptors = ProcessTable.descriptorsOfBPF(process) else {
                hiddenProcesses += 1
                continue
            }
            for descriptor in descriptors {
                let bytes = SmallFile.bytes(of: "/proc/\(process)/fdinfo/\(descriptor)", limit: 4096)
                let record = DescriptorRecord(bytes)
                take(record, of: process, among: programs)
                if let link = record.linkID, links.contains(link), process != getpid() {
                    linkHolders[link, default: []].insert(process)
                }
            }
        }
    }

    /// A link tells the program that it holds, too.
    private mutating func take(_ descriptor: DescriptorRecord, of process: Int32, among programs: Set<UInt32>)
    {
        guard let id = descriptor.programID, programs.contains(id) else { return }
        var holder =
            holders[id]?[process]
            ?? ProgramHolder(
                processID: process, command: ProcessTable.command(of: process), holdsProgram: false,
                holdsLink: false)
        if descriptor.linkID == nil { holder.holdsProgram = true } else { holder.holdsLink = true }
        holders[id, default: [:]][process] = holder
    }

    /// The other processes that have a descriptor of a link.
    func processes(ofLink link: UInt32) -> Set<Int32> { linkHolders[link] ?? [] }

    /// By process.
    func holders(of program: UInt32) -> [ProgramHolder] {
        (holders[program] ?? [:]).values.sorted { $0.processID < $1.processID }
    }
}
