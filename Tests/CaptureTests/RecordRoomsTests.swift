// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Capture

@Suite("Room for records")
struct RecordRoomsTests {
    @Test("sizes grow, and the last one takes the longest record", arguments: [true, false])
    func sizes(hasBufferAccess: Bool) {
        var abilities = CaptureAbilities()
        abilities.hasBufferAccess = hasBufferAccess
        let lengths: [UInt32] = [1, 8, 63, 64, 65, 96, 500, 1514, 9216, 65_536, 98_303, 98_304, 262_144]
        for snapLength in lengths {
            let rooms = RecordRooms(snapLength: snapLength, abilities: abilities)

            #expect(rooms.sizes == rooms.sizes.sorted() && Set(rooms.sizes).count == rooms.sizes.count)
            #expect(rooms.sizes.allSatisfy { $0 % 8 == 0 })
            let last = rooms.sizes.last ?? 0
            #expect(last >= rooms.maximum && last < rooms.maximum + 8)
            #expect(rooms.maximum == min(Int(snapLength), hasBufferAccess ? 98_303 : 9216))
        }
    }
}
