// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import SystemPackage

extension Tap {
    /// Whether somebody still reads what it writes, by the guard's word. A guard that is gone, or is none, says no; one that
    /// cannot be looked at for another reason says nothing, and the tap is left alone.
    public func hasOwner() -> Bool {
        guard mapIDs.indices.contains(guardMap) else { return false }
        do throws(BPFError) {
            let map = try BPFMap(id: mapIDs[guardMap])
            let definition = try map.information().definition
            guard definition.type == .array, definition.keySize == 4, definition.valueSize >= 8,
                let value = try map.lookup([0, 0, 0, 0], valueSize: Int(definition.valueSize)),
                let word: UInt32 = ByteReader(value).integer(at: 0)
            else { return false }
            return word & TapGuard.alive != 0
        } catch {
            return error.errno != .noSuchFileOrDirectory
        }
    }

    /// Helpers that change a packet or where it goes (linux/bpf.h): tail_call, redirect, xdp_adjust_head, redirect_map,
    /// xdp_adjust_meta, xdp_adjust_tail, redirect_neigh, redirect_peer, xdp_store_bytes.
    private static let forbiddenHelpers: Set<Int32> = [12, 23, 44, 51, 54, 65, 152, 155, 190]

    /// Looks whether the code keeps to what a tap may do, as far as instructions tell.
    func check(_ what: String) throws(XDPError) {
        func refusal(_ why: String) -> XDPError { XDPError(.failed, what, because: why) }
        let code = try LinkUnit(self)
        guard code.depth <= Self.maximumStack else {
            throw refusal("its code uses \(code.depth) bytes of stack, \(Self.maximumStack) are allowed")
        }
        if let helper = unit.instructions.compactMap(\.helperCall).first(
            where: Self.forbiddenHelpers.contains)
        {
            throw refusal("its code calls helper \(helper), which changes packets or where they go")
        }
        guard unit.maps.indices.contains(guardMap), mapIDs.count == unit.maps.count else {
            throw refusal("it has no guard among its maps")
        }
        guard hasOwner() else { throw refusal("its guard says that nobody would read what it writes") }
    }
}

extension TapSelection {
    /// Names that were asked for and that no member has.
    func unknownNames(in chain: Chain) -> [String] {
        var unknown: [String] = []
        for name in entries + exits where chain[name] == nil && !unknown.contains(name) {
            unknown.append(name)
        }
        return unknown
    }
}
