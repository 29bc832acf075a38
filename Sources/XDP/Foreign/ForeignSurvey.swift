// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Finds out about programs of others: who loaded them, who holds them, what is in them.
///
/// It looks into every process and at every pin, which takes milliseconds: nothing for a change to wait for.
/// Needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE for the processes of other users.
public struct ForeignSurvey: Sendable {
    private var details: [UInt32: ForeignDetails] = [:]

    /// Looks at all programs in one go. What vanishes meanwhile is no failure.
    public init(of programs: [ForeignProgram]) {
        let ids = Set(programs.map(\.information.id))
        guard !ids.isEmpty else { return }
        let fileSystems = BPFFileSystem.reachable()
        let holders = HolderScan(programs: ids)
        let pins = PinScan(programs: ids, in: fileSystems)
        let users = UserNames()
        for program in programs where details[program.information.id] == nil {
            let information = program.information
            let inside = Self.inside(information, fileSystems)
            let age = Self.age(loadTime: information.loadTime)
            details[information.id] = ForeignDetails(
                functionName: inside.functionName, loadedAt: Int64(time(nil)) - age, age: age,
                userName: users[information.userID], holders: holders.holders(of: information.id),
                hiddenProcesses: holders.hiddenProcesses, pins: pins.pins(of: information.id),
                isPinScanCut: pins.isCut, dispatcher: inside.dispatcher)
        }
    }

    /// What was found out about a program; nil for one that was not asked for.
    public subscript(_ program: ForeignProgram) -> ForeignDetails? { details[program.information.id] }

    /// What only the open program tells.
    private static func inside(
        _ information: ProgramInformation, _ fileSystems: [BPFFileSystem]
    ) -> (functionName: String, dispatcher: Dispatcher?) {
        guard let opened = try? Program(id: information.id) else { return (information.name, nil) }
        let types = ProgramTypes(id: information.btfID)
        let name = FunctionName.whole(information.name, of: opened, types: types)
        let reader = DispatcherReader(information, types: types, fileSystems: fileSystems)
        return (name, try? reader.read(opened, functionName: name))
    }

    /// Seconds since a program was loaded. The kernel counts from its start, sleep included.
    private static func age(loadTime: UInt64) -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        return nanoseconds > loadTime ? Int64((nanoseconds - loadTime) / 1_000_000_000) : 0
    }
}
