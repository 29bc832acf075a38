// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import XDP

/// The member that lets packets go to new rules until a deadline, and to the old ones after it: whoever does
/// not confirm in time has the old rules back, whether a process is left that could see to it or not.
///
/// It stands before both in the chain. Its verdict `drop` leads to the new rules, `pass` to the old ones, or,
/// where there were none, to what follows. The deadline stands in a frozen array map: 8 bytes CLOCK_BOOTTIME in
/// nanoseconds, 8 bytes the seconds that were asked for. Boot time goes on while a machine sleeps.
public struct FilterGate: Sendable, Hashable {
    /// When packets go back to the old rules: nanoseconds of CLOCK_BOOTTIME.
    public var deadline: UInt64
    /// What was asked for.
    public var seconds: UInt64

    static let mapName = "xdpctl_gate"
    static let programName = "xdpctl_gate"
    /// The verdicts by which it says where to go.
    static let opens = Verdict.drop
    static let closes = Verdict.pass

    /// A gate that opens now.
    init(seconds: UInt64) {
        self.seconds = seconds
        deadline = Self.now &+ seconds &* 1_000_000_000
    }

    /// What the gate member of a filter is called.
    public static func gateName(of name: String) -> String { name + ".gate" }
    /// What the new rules are called until they are confirmed.
    public static func newName(of name: String) -> String { name + ".new" }

    /// Whether packets still go to the new rules.
    public var isOpen: Bool { Self.now < deadline }

    /// Whole seconds until the deadline, rounded up; 0 behind it.
    public var remaining: UInt64 {
        let now = Self.now
        return now >= deadline ? 0 : (deadline - now + 999_999_999) / 1_000_000_000
    }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The gate of a filter; nil where there is none.
    static func find(of name: String, in chain: Chain) throws(XDPError) -> FilterGate? {
        guard let member = chain[gateName(of: name)], let id = mapID(of: member) else { return nil }
        do throws(BPFError) {
            let map = try BPFMap(id: id)
            let definition = try map.information().definition
            guard let bytes = try FrozenBytes.read(map, definition) else { return nil }
            return FilterGate(bytes)
        } catch {
            throw XDPError(error, during: "\(member.name) cannot be read")
        }
    }

    /// The map of a gate; nil for another member.
    static func mapID(of member: Member) -> UInt32? {
        guard member.unit.maps.count == 1, member.unit.maps[0].definition.name == mapName else { return nil }
        return member.mapIDs.first
    }

    /// The gate that a member is; nil for another one.
    public init?(_ member: Member) {
        guard let id = Self.mapID(of: member), let map = try? BPFMap(id: id),
            let definition = try? map.information().definition,
            let bytes = (try? FrozenBytes.read(map, definition)) ?? nil
        else { return nil }
        self.init(bytes)
    }

    private init?(_ bytes: [UInt8]) {
        let reader = ByteReader(bytes)
        guard let deadline: UInt64 = reader.integer(at: 0), let seconds: UInt64 = reader.integer(at: 8)
        else { return nil }
        self.deadline = deadline
        self.seconds = seconds
    }

    /// The member, with its map, which lives as long as the handle until the member is in a chain.
    func member(of name: String, supportsFrags: Bool) throws(BPFError) -> (member: Member, map: MapHandle) {
        var bytes: [UInt8] = []
        for number in [deadline, seconds] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        let map = try FrozenBytes.save(bytes, name: Self.mapName)
        let unit = XDP.Unit(
            program: Self.programName, license: "Dual BSD/GPL", supportsFrags: supportsFrags,
            instructions: Self.instructions,
            maps: [UnitMap(name: Self.mapName, definition: map.definition)])
        let member = Member(
            name: Self.gateName(of: name), origin: "", digest: SHA256.digest(of: bytes), unit: unit,
            mapIDs: [map.id])
        return (member, map)
    }

    /// `drop` before the deadline, `pass` after it.
    private static var instructions: [Instruction] {
        // bpf_ktime_get_boot_ns, Linux 5.8
        [.call(helper: 125)]
            + Instruction.loadMapValue(.r1, index: 0, offset: 0)
            + [
                .load(.doubleWord, .r1, from: .r1),
                .move(.r2, .r0),
                .move(.r0, Int32(opens.rawValue)),
                .jump(.less, .r2, .r1, 1),
                .move(.r0, Int32(closes.rawValue)),
                .exit,
            ]
    }
}
