// SPDX-License-Identifier: Apache-2.0

/// What a member does, and the maps that this names by place.
struct MemberCode {
    let analysis: ProgramAnalysis
    let maps: [UnitMap]
    /// The kernel's ids of the maps.
    let mapIDs: [UInt32]
    /// The programs that its tail calls lead to now, and whether these are all.
    let reach: TailCallReach

    /// nil where the instructions cannot be read.
    init?(_ member: Member) {
        let code: ProgramCode
        if member.adopted != nil {
            guard let id = member.separate?.programID else { return nil }
            do throws(XDPError) {
                code = try LoadedCode(programID: id).code
            } catch {
                return nil
            }
        } else {
            code = ProgramCode(member.unit, mapIDs: member.mapIDs)
        }
        analysis = ProgramAnalysis(of: code)
        maps = code.maps
        mapIDs = code.mapIDs
        reach = TailCallReach(of: analysis, mapIDs: mapIDs)
    }
}
