// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink
import XDP

/// What is remembered of an interface from sample to sample.
struct KnownInterface {
    let name: String
    let driver: String
    private(set) var chain: CountedChain?
    var hasQueues = true
    /// Outer nil: not asked yet.
    var hasReceiveOffload: Bool??
    private var programID: UInt32?
    private var counterNames: [String]?
    /// The members without their counters, in the order of the chain.
    private var outline: [InterfaceSample.Member] = []

    init(name: String, driver: String) {
        self.name = name
        self.driver = driver
    }

    /// Reads what a program is, if it is another one than before; false if it is gone by now.
    mutating func look(at program: UInt32?) throws(XDPError) -> Bool {
        if program == programID { return true }
        // Some drivers count more, or by other names, once a program is attached.
        counterNames = nil
        hasReceiveOffload = nil
        chain = nil
        outline = []
        guard let program else {
            programID = nil
            return true
        }
        switch try CountedChain.open(programID: program) {
        case .gone: return false
        case .other: break
        case .chain(let found):
            chain = found
            outline = Self.outline(of: found.manifest.chain)
        }
        programID = program
        return true
    }

    /// The members with what they counted.
    func members(with counters: [MemberCounters]) -> [InterfaceSample.Member] {
        zip(outline, counters).map { member, counted in
            var member = member
            member.counters = counted
            return member
        }
    }

    /// What the driver counts. The names are read again when it counts another number of things than before, or counted nothing.
    mutating func driverCounters(
        _ socket: borrowing DriverCounters
    ) throws(NetlinkError) -> [InterfaceSample.Named] {
        for _ in 0..<3 {
            if counterNames?.isEmpty != false { counterNames = try socket.names(of: name) }
            let names = counterNames ?? []
            if let values = try socket.values(of: name, count: names.count) {
                // Some drivers leave places without a name.
                return zip(names, values).lazy.filter { !$0.0.isEmpty }.map { .init(name: $0, value: $1) }
            }
            counterNames = nil
        }
        return []
    }

    private static func outline(of chain: Chain) -> [InterfaceSample.Member] {
        chain.members.enumerated().map { place, member in
            var outline = InterfaceSample.Member(name: member.name, counters: MemberCounters())
            let isLast = place == chain.members.count - 1
            outline.endings = Set(
                Verdict.allCases.filter { verdict in
                    let edge = member.edge(after: verdict)
                    return edge == .end || isLast && edge == .next
                })
            outline.isSeparate = member.separate != nil
            outline.counterSlot = member.counterSlot
            outline.isFilter = LiveFilter.isFilter(member)
            return outline
        }
    }
}
